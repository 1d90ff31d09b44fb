import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { replay } from '../../../src/replay/replay.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import { epochRules } from '../../../src/rules/epoch-rules.ts'
import { retentionHeight } from '../../../src/rules/retention.ts'
import { recordLog } from '../replay/recorded-log.ts'
import { ask, leaseOne } from './paying-requester.ts'
import { type Peer, problemIn, type Work } from './peer.ts'
import { openSite, type Site } from './site.ts'
import { tinyOutput } from './tiny-market.ts'
import { offBy, TOLERANT_MARKET } from './tolerant-market.ts'

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

const HONEST = offBy(9e-5)
const CHEATED = offBy(2e-4)

test('bundles are held until maturity and 144 blocks, then removed: all but datasets, and what a fail was said on', async () => {
  await using site = await openSite(node, { subnets: [TOLERANT_MARKET] })
  const [honest, cheat, operator] = await site.begin(2)
  if (honest === undefined || cheat === undefined || operator === undefined) throw new Error('three peers')
  const items = await honest.lease()
  const right = await honest.hold(items, HONEST)
  await honest.submit(honest.draft(right.map(({ receipt }) => receipt)))
  const badItems = await cheat.lease(2)
  const wrong = await cheat.hold(badItems, CHEATED)
  await cheat.submit(cheat.draft(wrong.map(({ receipt }) => receipt)))
  const asked = await answered(site, honest, 1.5)
  const askedAgain = await answered(site, honest, 2.5)
  for (const { works } of [asked, askedAgain])
    await honest.submit(honest.draft(works.map(({ receipt }) => receipt)))
  const never = await answered(site, cheat, 3.5)
  await site.mineAudited([honest, cheat, operator], 'the settlement', () =>
    site.status().epochs.some(({ settled }) => settled),
  )

  const due = retentionHeight(0, epochRules(site.house().genesis))
  await site.mine(due - 3 - (site.coordinator().advancedTo() ?? 0))
  await answered(site, honest, 2.5)
  await site.mineTo(due - 1)
  const passed = outputsOf(right)
  const failed = outputsOf(wrong)
  const everything = [...passed, ...failed, asked.input, askedAgain.input, never.input]
  expect(everything.map((digest) => isHeld(site, digest))).toEqual(everything.map(() => true))
  const before = await recordLog(site, node)
  expect(await skippedIn(before)).toEqual({ ok: true, verdicts: 0, first: null })
  // Before that block what is missing is the operator's failure.
  expect(await skippedIn(without(before, passed[0]))).toMatchObject({
    ok: false,
    first: { rule: 'verdicts', code: 'blob_missing' },
  })

  await site.mineTo(due)
  const gone = [...passed, asked.input, never.input]
  expect(gone.map((digest) => isHeld(site, digest))).toEqual(gone.map(() => false))
  // The auditors' own outputs of failed items, the evidence; and work of a later epoch.
  const kept = [
    ...failed,
    ...badItems.map(({ inputs }) => sha256(tinyOutput(inputs))),
    ...[...items, ...badItems].map(({ inputs }) => sha256(inputs)),
    askedAgain.input,
  ]
  expect(kept.map((digest) => isHeld(site, digest))).toEqual(kept.map(() => true))
  const { data } = site.status()
  expect(data.collectedBytes).toBeGreaterThan(0)
  expect(data.heldBytes).toBe(heldBytes(site))

  const after = await recordLog(site, node)
  expect(await skippedIn(after)).toMatchObject({ ok: true, first: null })
  expect((await skippedIn(after)).verdicts).toBeGreaterThanOrEqual(passed.length)
  // A fail without its evidence is one at any time.
  expect(await skippedIn(without(after, failed[0]))).toMatchObject({
    ok: false,
    first: { rule: 'verdicts', code: 'blob_missing' },
  })

  // An answer that nobody could audit any more is not taken.
  const late = cheat.draft(never.works.map(({ receipt }) => receipt))
  expect(await problemIn(await cheat.post('/v1/submissions', encodeCbor(late)))).toMatchObject({
    code: 'outputs_missing',
  })
  expect(await cheat.call('/v1/results', { results: never.works })).toMatchObject({
    accepted: 0,
    refused: [{ code: 'job_expired' }],
  })
  expect(site.troubles).toEqual([])
})

/** A request that this worker answers, and the digest of its input. */
async function answered(site: Site, worker: Peer, value: number) {
  const response = ask(site, value)
  const job = await leaseOne(worker)
  const works = await worker.hold([job])
  if (!(await response).ok) throw new Error('the request was not answered')
  return { works, input: sha256(job.inputs) }
}

function outputsOf(works: readonly Work[]): Uint8Array[] {
  return works.map(({ outputs }) => sha256(outputs))
}

function isHeld(site: Site, digest: Uint8Array): boolean {
  return site.coordinator().books.blobs.has(Buffer.from(digest).toString('hex'))
}

function heldBytes(site: Site): number {
  const { db, blobs } = site.coordinator().books
  const names = db.prepare<[], string>('SELECT lower(hex(digest)) FROM held_blob').pluck().all()
  return names.reduce((sum, name) => sum + (blobs.sizeBytes(name) ?? Number.NaN), 0)
}

function without(source: ReplaySource, digest: Uint8Array | undefined): ReplaySource {
  const isGone = (asked: Uint8Array) => digest !== undefined && Buffer.compare(asked, digest) === 0
  return { ...source, blob: async (asked) => (isGone(asked) ? null : source.blob(asked)) }
}

async function skippedIn(source: ReplaySource) {
  const { ok, first, rules } = await replay(source)
  return { ok, first, verdicts: rules.find(({ name }) => name === 'verdicts')?.skipped ?? 0 }
}
