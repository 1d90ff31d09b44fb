import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseReceipt } from '../../../compute/work/receipt.ts'
import { publicKeyOf } from '../../../compute/work/worker-key.ts'
import { signRegistration } from '../../../compute/work/worker-registration.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { addCanaries, type CanaryDraft } from '../../../src/client/add-canaries.ts'
import { decideAuditor, readAuditors } from '../../../src/client/auditors.ts'
import { receiptsOf } from '../../../src/coordinator/receipts-of.ts'
import { proctorKey } from '../../../src/keystore/proctor-key.ts'
import { unmaturedAccount } from '../../../src/ledger/accounts.ts'
import { parseEntry } from '../../../src/log/entry.ts'
import { replay } from '../../../src/replay/replay.ts'
import { recordLog } from '../replay/recorded-log.ts'
import { epochEntry } from './epoch-entry.ts'
import { createPeer, type Peer, worksOf } from './peer.ts'
import { openSite, type Site, TOKEN } from './site.ts'
import { TINY_PROFILE, tinyInput, tinyMarket, tinyModels, tinyOutput } from './tiny-market.ts'
import { TOLERANT_MARKET } from './tolerant-market.ts'

const PLANTED = 3

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

test('what the operator plants is wrong, is audited, and fails: an honest auditor stays', async () => {
  await using site = await openPlanted()
  const auditor = await begin(site)
  await site.mineUntil('the draw', () => site.status().audits.rounds === PLANTED)
  await auditor.audit()
  expect(site.status().audits).toMatchObject({ sampled: PLANTED, failed: PLANTED })
  await settled(site)
  expect(reasons(site)).toEqual(Array(PLANTED).fill('canary_failed'))
  expect((await readAuditors(site.url)).auditors).toHaveLength(1)
  expect(plantedBy(site)).toEqual(new Set([proctor(site, 0)]))
  expect(await replay(await recordLog(site, node))).toMatchObject({ ok: true, first: null })
})

test('an auditor that passes it is withdrawn', async () => {
  await using site = await openPlanted()
  const auditor = await begin(site)
  await site.mineUntil('the draw', () => site.status().audits.rounds === PLANTED)
  // It has the answers from elsewhere: only so can it pass what is wrong.
  const held = heldAnswers(site)
  await auditor.audit((inputs) => held.get(hex(inputs)) ?? null)
  expect(site.status().audits).toMatchObject({ passed: PLANTED })
  await settled(site)
  expect((await readAuditors(site.url)).auditors).toEqual([])
  const { log } = site.coordinator().books
  const entries = Array.from(log.entries(0, log.size()), parseEntry)
  const withdrawn = entries.flatMap((entry) =>
    entry.kind === 'status' && entry.subject === 'contradiction' ? [hex(entry.worker)] : [],
  )
  expect(withdrawn).toEqual([auditor.hex])
  expect(await replay(await recordLog(site, node))).toMatchObject({ ok: true, first: null })
})

test('an auditor that passes it forfeits what its audits have earned, in the very epoch that shows it', async () => {
  await using site = await openPlanted(tinyMarket({ models: STRICT }))
  const worker = await site.peer()
  const auditor = await begin(site)
  const works = await worksOf(worker.work())
  await site.mineUntil('the draw', () => site.status().audits.rounds === works.length + PLANTED)
  const held = heldAnswers(site)
  await auditor.audit((inputs) => held.get(hex(inputs)) ?? null)
  await settled(site)
  const { entry } = epochEntry(site, 0)
  const { log, ledger } = site.coordinator().books
  const forfeits = Array.from(log.entries(0, log.size()), parseEntry).filter(({ kind }) => kind === 'forfeit')
  expect(entry.auditMsat).toBeGreaterThan(0n)
  expect(forfeits).toEqual([expect.objectContaining({ worker: auditor.key, msat: entry.auditMsat })])
  expect(ledger.balance(unmaturedAccount(auditor.hex)).postedMsat).toBe(0n)
  expect(ledger.balance(unmaturedAccount(worker.hex)).postedMsat).toBe(entry.computeMsat)
  expect(await replay(await recordLog(site, node))).toMatchObject({ ok: true, first: null })
})

test('what is planted tells the hardware of who answered for the model before', async () => {
  await using site = await openPlanted(TOLERANT_MARKET)
  const worker = await site.peer()
  await begin(site, [101, 102, 103, 104, 105, 106])
  expect(plantedProfiles(site, worker)).toEqual(Array(PLANTED).fill('x86-64-v3'))
  const works = (await worker.lease()).map(({ job, inputs }, index) =>
    worker.answerWith(
      job,
      { index, profile: { ...TINY_PROFILE, batch: 1, device: 'NVIDIA H200', provider: 'cuda' } },
      tinyOutput(inputs),
    ),
  )
  await worker.call('/v1/results', { results: works })
  await worker.submit(worker.draft(works.map(({ receipt }) => receipt)))
  await site.mineUntil('the next epoch', () => plantedProfiles(site, worker).length > PLANTED)
  expect(plantedProfiles(site, worker).slice(PLANTED)).toEqual(Array(PLANTED).fill('NVIDIA H200'))
})

test('what is planted tells nothing of a key of the proctor that was suspended', async () => {
  await using site = await openPlanted(TOLERANT_MARKET)
  const { secretKey, address } = proctorKey(site.keys.proctorSeed, 'regtest', 0)
  const former = createPeer(site, secretKey)
  await former.call('/v1/workers', signRegistration(address, site.origin, secretKey))
  await begin(site, [])
  const [job] = await former.lease(1)
  if (job === undefined) throw new Error('nothing leased')
  const profile = { ...TINY_PROFILE, batch: 1, device: 'NVIDIA H200', provider: 'cuda' } as const
  const work = former.answerWith(job.job, { index: 0, profile }, tinyOutput(job.inputs))
  await former.call('/v1/results', { results: [work] })
  await former.submit(former.draft([work.receipt]))
  suspend(site, former.hex)
  await addCanaries(site.url, TOKEN, [101, 102, 103].map(canary))
  await site.mine(1)
  expect(plantedProfiles(site, former)).toEqual(Array(PLANTED).fill('x86-64-v3'))
})

test('what is asked of somebody else now is not planted, and hides nothing behind it', async () => {
  await using site = await openPlanted()
  await begin(site, [])
  await addCanaries(site.url, TOKEN, [101, 102, 103, 104].map(canary))
  const { canaries, market } = site.house().desks
  const model = market.modelNamed('identity', 0)
  if (model === null) throw new Error('no model')
  const asked = canaries.take(model)
  await site.mine(1)
  expect([asked?.number, canaries.left()]).toEqual([1, 1])
})

test('a key that is suspended for it is followed by the next', async () => {
  await using site = await openPlanted()
  await begin(site, [101, 102, 103, 104, 105])
  const [first, second] = [0, 1].map((index) => proctor(site, index))
  await site.mine(1)
  expect(plantedBy(site)).toEqual(new Set([first]))
  suspend(site, first ?? '')
  await site.mine(1)
  expect(plantedBy(site)).toEqual(new Set([first, second]))
})

test('a proctor that is refused, as any worker may be, stops no round', async () => {
  await using site = await openPlanted()
  site
    .coordinator()
    .books.db.prepare(
      `INSERT INTO worker (key, address, threshold_sats, entry_index) VALUES (?, 'elsewhere', 0, -1)`,
    )
    .run(Buffer.from(proctor(site, 0), 'hex'))
  await site.mineTo(site.startHeight + 1)
  expect(plantedBy(site)).toEqual(new Set())
  expect(site.troubles).toEqual([])
})

test('nothing is planted where the operator wants none, or knows no answers', async () => {
  await using site = await openSite(node, { subnets: [tinyMarket({ dataset: null })] })
  await begin(site)
  await site.mine(3)
  expect(plantedBy(site)).toEqual(new Set())
  await using dry = await openPlanted()
  await begin(dry, [])
  await dry.mine(3)
  expect(plantedBy(dry)).toEqual(new Set())
})

/** Two known answers withdraw an auditor. */
const STRICT = tinyModels(1, 1_000_000)

function openPlanted(market = tinyMarket({ models: STRICT, dataset: null })): Promise<Site> {
  return openSite(node, {
    flags: { 'audits.plantedPerEpoch': `${PLANTED}`, 'epoch.auditRoundBlocks': '100' },
    subnets: [market],
  })
}

/** One admitted auditor, and answers that the operator knows. */
async function begin(site: Site, known = [101, 102, 103]): Promise<Peer> {
  const auditor = await site.peer()
  await decideAuditor(site.url, TOKEN, { worker: auditor.key, status: 'admitted', reason: 'of the test' })
  await addCanaries(site.url, TOKEN, known.map(canary))
  await site.anchorAll()
  await site.mineTo(site.startHeight - 1)
  return auditor
}

const canary = (value: number): CanaryDraft => ({
  subnet: 'tiny',
  model: 'identity',
  inputs: tinyInput(value),
  outputs: tinyOutput(tinyInput(value)),
})

function suspend(site: Site, worker: string): void {
  site
    .coordinator()
    .books.db.prepare(
      `INSERT INTO standing (worker, score, failed_by, fails, standing) VALUES (?, 0, '[]', '[]', 'suspended')`,
    )
    .run(Buffer.from(worker, 'hex'))
}

/** What was answered, by the input, both in hex. */
function heldAnswers(site: Site): Map<string, Uint8Array> {
  const { db, blobs } = site.coordinator().books
  const rows = db
    .prepare<[], { input: Buffer; output: Buffer }>(
      'SELECT job.input, result.output FROM job JOIN result ON result.job = job.number',
    )
    .all()
  const bytes = (digest: Buffer) => blobs.get(digest.toString('hex')) ?? new Uint8Array()
  return new Map(rows.map(({ input, output }) => [hex(bytes(input)), bytes(output)]))
}

/** Devices in the receipts of all others than this worker. */
function plantedProfiles(site: Site, worker: Peer): string[] {
  const { books } = site.coordinator()
  return books.db
    .prepare<[Uint8Array], bigint>(
      'SELECT entry_index FROM submission WHERE worker <> ? ORDER BY entry_index',
    )
    .pluck()
    .all(worker.key)
    .flatMap((entry) => receiptsOf(books, Number(entry)).map((bytes) => parseReceipt(bytes).profile.device))
}

function plantedBy(site: Site): Set<string> {
  const workers = site
    .coordinator()
    .books.db.prepare<[], Buffer>('SELECT worker FROM submission')
    .pluck()
    .all()
  return new Set(workers.map(hex))
}

function proctor({ keys }: Site, index: number): string {
  return hex(publicKeyOf(proctorKey(keys.proctorSeed, 'regtest', index).secretKey))
}

function settled(site: Site): Promise<void> {
  return site.mineUntil('the settlement', () =>
    site.status().epochs.some(({ number, settled }) => number === 0 && settled),
  )
}

function reasons(site: Site): string[] {
  return [...epochEntry(site, 0).reasons.values()]
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
