import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  inputCommitment,
  jobId,
  originCommitment,
  parseJob,
  parseOriginRecord,
} from '../../../compute/work/job.ts'
import { outputCommitment, parseReceipt } from '../../../compute/work/receipt.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { openEpochWork } from '../../../src/coordinator/epoch-work.ts'
import { parseOpenings } from '../../../src/log/opening.ts'
import { anchoredView } from '../../../src/rules/anchored.ts'
import { epochRules } from '../../../src/rules/epoch-rules.ts'
import { epochEntry } from './epoch-entry.ts'
import { idOf } from './peer.ts'
import { openSite } from './site.ts'

/** Of several pages, several parts, and a rest. */
const LENGTHS = { page: 2, part: 4 }

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('settlement opens every commitment of the work, paid or not; an epoch with neither has no entry', async () => {
  await using site = await openSite(node, {
    flags: { 'subsidy.initialMsat': '0', 'subsidy.capMsat': '0', 'epoch.auditRoundBlocks': '100' },
  })
  const [worker] = await site.begin(1)
  if (worker === undefined) throw new Error('no worker')
  const leased = await worker.lease()
  const works = await worker.hold(leased)
  await worker.submit(worker.draft(works.map(({ receipt }) => receipt)))
  await site.mineTo(site.startHeight + 5 + 8 + 2 + 6)
  expect(
    site
      .status()
      .epochs.filter(({ settled }) => settled)
      .map(({ number }) => number),
  ).toEqual([1, 0])

  const { entry, reasons, openings: opened } = epochEntry(site, 0)
  expect(entry).toMatchObject({ computeMsat: 0n, auditMsat: 0n, returnedMsat: 0n })
  expect([...reasons.values()]).toEqual(works.map(() => 'no_budget'))
  expect(() => epochEntry(site, 1)).toThrow('epoch 1 has no entry')

  const { blobs } = site.coordinator().books
  const openings = new Map(opened.map((opening) => [hex(opening.job), opening]))
  expect(openings.size).toBe(works.length)
  for (const [index, { job: bytes, inputs }] of leased.entries()) {
    const job = parseJob(bytes)
    const opening = openings.get(hex(jobId(bytes)))
    const receipt = works[index]?.receipt
    if (opening === undefined || receipt === undefined) throw new Error(`job ${index} is not opened`)
    expect(hex(inputCommitment(opening.inputSalt, opening.input))).toBe(hex(job.input))
    expect(hex(originCommitment(opening.originSalt, opening.origin))).toBe(hex(job.origin))
    expect(hex(outputCommitment(opening.outputSalt, opening.output))).toBe(hex(parseReceipt(receipt).output))
    expect(parseOriginRecord(opening.origin)).toMatchObject({ kind: 'dataset' })
    // Whoever has the digests has the bytes: both are blobs.
    expect(hex(blobs.get(hex(opening.input)) ?? new Uint8Array())).toBe(hex(inputs))
    expect(blobs.has(hex(opening.output))).toBe(true)
  }
  const { desks, anchorer, genesis } = site.house()
  const reader = openEpochWork(site.coordinator().books, { market: desks.market, rules: epochRules(genesis) })
  const parts: Uint8Array[] = []
  const put = (blob: Uint8Array) => {
    parts.push(blob)
    return sha256(blob)
  }
  const read = await reader.read(0, anchoredView(anchorer.places()), put, LENGTHS)
  expect(read.openings).toEqual(parts.map(sha256))
  const inParts = parts.map((part) => [...parseOpenings(part)])
  expect(inParts.flat()).toEqual(opened)
  expect(inParts.map(({ length }) => length)).toEqual(
    inParts.map((_, i) => Math.min(LENGTHS.part, works.length - i * LENGTHS.part)),
  )
  expect(read.receipts.map(({ receipt }) => receipt)).toEqual(works.map(idOf))
})
