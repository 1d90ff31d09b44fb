import { hash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { putLostJobLists } from '../../../src/coordinator/lost-job-lists.ts'
import { parseEntry } from '../../../src/log/entry.ts'
import { cutPower } from './power-cut.ts'
import { openSite, type Site } from './site.ts'

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

test("a list of jobs that are in a submission is no power cut's to take: it is said what to do, and nothing is put", async () => {
  await using site = await openSite(node)
  const [worker] = await site.begin(1)
  if (worker === undefined) throw new Error('one worker was asked for')
  await worker.work(undefined, 2)
  await worker.lease(1)
  const { books } = site.coordinator()
  const names = jobListsOf(site)
  books.blobs.remove(names)
  expect(() => putLostJobLists(books)).toThrow(
    expect.objectContaining({
      code: 'blobs_missing',
      message: expect.stringMatching(/blobs beside .* missing or older .* restore them/),
    }),
  )
  expect(names.map((name) => books.blobs.has(name))).toEqual(names.map(() => false))
})

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
