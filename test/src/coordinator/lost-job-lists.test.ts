import { hash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import type { Books } from '../../../src/coordinator/books.ts'
import { record } from '../../../src/coordinator/books.ts'
import { putLostJobLists } from '../../../src/coordinator/lost-job-lists.ts'
import { parseEntry } from '../../../src/log/entry.ts'
import { cutPower } from './power-cut.ts'
import { openSite, type Site } from './site.ts'

const MIB = 1024 * 1024

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

test('lists of jobs that a power cut took are there again at the next start, byte for byte, back to the newest that it left', async () => {
  await using site = await openSite(node)
  const [worker] = await site.begin(1)
  if (worker === undefined) throw new Error('one worker was asked for')
  for (const max of [1, 2, 1, 3, 1]) await worker.lease(max)
  const names = jobListsOf(site)
  const before = names.map((name) => read(site, name))
  expect(before.map((list) => list && hash('sha256', list))).toEqual(names)
  const [older, , ...newest] = names

  // A power cut takes the newest commits: what is older than one that is there is not looked for.
  await cutPower(site, [older ?? '', ...newest])
  expect(newest).toHaveLength(3)
  expect(names.map((name) => read(site, name))).toEqual([null, ...before.slice(1)])

  await cutPower(site, names)
  expect(names.map((name) => read(site, name))).toEqual(before)
})

test('64 MiB of missing lists are put again; of more, which no power cut takes, it is said what to do and nothing is put', async () => {
  await using site = await openSite(node)
  const [worker] = await site.begin(1)
  await worker?.lease(1)
  const { books } = site.coordinator()
  const names = [1, 2, 3, 4].map(() => leaseUnheld(books, 16 * MIB))
  const areHeld = () => names.map((name) => books.blobs.has(name))
  putLostJobLists(books)
  expect(areHeld()).toEqual([true, true, true, true])

  books.blobs.remove(names)
  names.push(leaseUnheld(books, 1_000))
  expect(() => putLostJobLists(books)).toThrow(
    expect.objectContaining({
      code: 'blobs_missing',
      message: expect.stringMatching(/blobs beside .* missing or older .* restore them/),
    }),
  )
  expect(areHeld()).toEqual([false, false, false, false, false])
})

/** A job like the first, of a list of so many bytes that is not held. @returns the list's name */
function leaseUnheld(books: Books, listBytes: number): string {
  // What goes before them: one array of one string.
  const bytes = new Uint8Array(listBytes - (listBytes < 65_536 ? 4 : 6)).fill(books.log.size())
  const list = encodeCbor([bytes])
  expect(list).toHaveLength(listBytes)
  const worker = new Uint8Array(32)
  const root = sha256(bytes)
  const entry = {
    v: 1,
    kind: 'jobs',
    worker,
    epoch: 0,
    leasedMs: 0,
    count: 1,
    root,
    jobs: sha256(list),
  } as const
  record(books, entry, (entryIndex) => {
    const { db } = books
    db.exec('CREATE TEMP TABLE like_first AS SELECT * FROM job ORDER BY number LIMIT 1')
    db.prepare(
      'UPDATE like_first SET number = (SELECT max(number) + 1 FROM job), id = ?, bytes = ?, entry_index = ?',
    ).run(root, bytes, entryIndex)
    db.exec('INSERT INTO job SELECT * FROM like_first; DROP TABLE like_first')
  })
  return hash('sha256', list)
}

function jobListsOf(site: Site): string[] {
  const { log } = site.coordinator().books
  return [...log.entries(0, log.size())].flatMap((bytes) => {
    const entry = parseEntry(bytes)
    return entry.kind === 'jobs' ? [Buffer.from(entry.jobs).toString('hex')] : []
  })
}

function read(site: Site, name: string): Uint8Array | null {
  return site.coordinator().books.blobs.get(name)
}
