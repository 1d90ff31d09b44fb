import { afterAll, beforeAll, expect, test } from 'vitest'
import { receiptId } from '../../../compute/work/receipt.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { verifyCheckpoint } from '../../../src/log/checkpoint.ts'
import { parseEntry } from '../../../src/log/entry.ts'
import { parseVerifierKey } from '../../../src/log/note-key.ts'
import { checkRecord, leafHash } from '../../../src/log/rfc6962.ts'
import type { Peer } from './peer.ts'
import { openSite, type Site } from './site.ts'

let node: RegtestNode
let site: Site
let worker: Peer
beforeAll(async () => {
  node = await startBitcoind()
  site = await openSite(node)
  const [first] = await site.begin(1)
  if (first === undefined) throw new Error('no worker')
  worker = first
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await node.stop()
})

test('an acknowledgement proves the submission under a signed checkpoint that covers it', async () => {
  const works = await worker.hold(await worker.lease())
  const submission = worker.draft(works.map(({ receipt }) => receipt))
  const { index, entry, path, checkpoint } = await worker.submit(submission)

  const { size, root } = verifyCheckpoint(
    checkpoint,
    parseVerifierKey(site.coordinator().books.log.verifierKey),
  )
  expect(size).toBeGreaterThan(index)
  expect(() => checkRecord(path, size, root, index, leafHash(entry))).not.toThrow()
  const logged = parseEntry(entry)
  if (logged.kind !== 'submission') throw new Error(`a submission is acknowledged by a ${logged.kind}`)
  expect(Buffer.from(logged.header)).toEqual(Buffer.from(submission.header))
  expect(Buffer.from(logged.signature)).toEqual(Buffer.from(submission.signature))
  const { nextSequence, previous } = Object(
    await (await fetch(new URL(`/v1/workers/${worker.hex}`, site.url))).json(),
  )
  expect({ nextSequence, previous }).toEqual({
    nextSequence: 1,
    previous: Buffer.from(receiptId(submission.header)).toString('hex'),
  })
})

test("the requester's answer waits neither for the submission nor for any other entry of the log", async () => {
  const { log } = site.coordinator().books
  const asked = fetch(new URL('/v2/models/identity/infer', site.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1.5, -2.5] }] }),
  })
  // All items are leased by now: what comes is the request.
  const leased = await worker.lease(1, 10_000)
  const sizeBefore = log.size()
  const works = await worker.hold(leased)
  const response = await asked
  expect(await response.json()).toMatchObject({ outputs: [{ name: 'y', data: [1.5, -2.5] }] })
  expect(log.size()).toBe(sizeBefore)
  expect(response.headers.get('assay-receipt-id')).toBe(
    works.map(({ receipt }) => Buffer.from(receiptId(receipt)).toString('hex')).join(),
  )
  await worker.submit(worker.draft(works.map(({ receipt }) => receipt)))
  expect(log.size()).toBe(sizeBefore + 1)
})
