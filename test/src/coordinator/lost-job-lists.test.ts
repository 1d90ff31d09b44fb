import { hash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
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
