import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { addCanaries } from '../../../src/client/add-canaries.ts'
import { blobsAtUrl } from '../../../src/replay/blob-source.ts'
import { replay } from '../../../src/replay/replay.ts'
import { changeTable } from '../replay/changed-log.ts'
import { recordLog } from '../replay/recorded-log.ts'
import { epochEntry } from './epoch-entry.ts'
import { ask, leaseOne } from './paying-requester.ts'
import { idOf, type Peer, problemIn, worksOf } from './peer.ts'
import { openSite, REWARD_MSAT, type Site, TOKEN } from './site.ts'
import { tinyInput, tinyMarket, tinyOutput } from './tiny-market.ts'
import { offBy, TOLERANT_MARKET } from './tolerant-market.ts'

/** Before the public one by name, so that requests go there; far heavier, if its weight counted. */
const PRIVATE = {
  ...TOLERANT_MARKET,
  name: 'hidden',
  privacy: 'private',
  dataset: null,
  weight: 1_000,
} as const
/** An input and an output that public work names as well. */
const SHARED_VALUE = 3

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

test('private bytes are shown to auditors alone, earn no subsidy, and are passed over by whoever recomputes the log', async () => {
  await using site = await openSite(node, { subnets: [PRIVATE, tinyMarket()] })
  const [honest, cheat, operator] = await site.begin(2)
  if (honest === undefined || cheat === undefined || operator === undefined) throw new Error('three peers')
  const passed = await answered(site, honest, 1.5, offBy(9e-5))
  const failed = await answered(site, cheat, 2.5, offBy(2e-4))
  const shared = await answered(site, honest, SHARED_VALUE, tinyOutput)
  const items = await worksOf(honest.work())
  expect(site.status().privateSubnets).toEqual(['hidden'])
  const hidden = [passed.input, passed.output, failed.input, failed.output]
  for (const digest of hidden) {
    const response = await blobOf(site, digest)
    expect(response.status).toBe(403)
    expect(await problemIn(response)).toMatchObject({ code: 'blob_private' })
  }
  // A dataset's item is everybody's, whoever else asks for it.
  expect((await blobOf(site, shared.input)).status).toBe(200)

  const known = {
    subnet: 'hidden',
    model: 'identity',
    inputs: tinyInput(77),
    outputs: tinyOutput(tinyInput(77)),
  }
  await expect(addCanaries(site.url, TOKEN, [known])).rejects.toMatchObject({ code: 'subnet_private' })

  await site.mineAudited([honest, cheat, operator], 'the settlement', () =>
    site.status().epochs.some(({ settled }) => settled),
  )
  const audited = [tinyOutput(tinyInput(1.5)), tinyOutput(tinyInput(2.5))].map((bytes) => sha256(bytes))
  for (const digest of [...hidden, ...audited]) expect((await blobOf(site, digest)).status).toBe(403)
  const { entry, reasons } = epochEntry(site, 0)
  // The whole budget is the public subnet's: the thousandfold weight of `hidden` would show.
  expect(entry.computeMsat).toBe(BigInt(items.length) * REWARD_MSAT)
  expect([passed, failed].map(({ id }) => reasons.get(id))).toEqual(['unassigned', 'fail'])
  await site.anchorAll()

  // With the blobs that the coordinator shows to everybody.
  const open = { ...(await recordLog(site, node)), blob: blobsAtUrl(site.url) }
  const report = await replay(open)
  expect(report).toMatchObject({
    ok: true,
    first: null,
    privateWork: { subnets: ['hidden'], comparisons: 2 },
  })
  // Whoever has the bytes compares them again.
  const inside = await replay(await recordLog(site, node))
  expect(inside).toMatchObject({ ok: true, privateWork: { comparisons: 0 } })
  const paid = await changeTable(open, ({ compute, ...table }) => ({
    ...table,
    compute: [{ worker: honest.hex, subnet: 'hidden', model: '', msat: 1n }, ...compute],
  }))
  expect((await replay(paid.source)).first).toMatchObject({
    entry: paid.entry,
    rule: 'epochs',
    code: 'accrual_mismatch',
  })
  expect(site.troubles).toEqual([])
})

/** A request that this worker answers and submits. */
async function answered(
  site: Site,
  worker: Peer,
  value: number,
  compute: (inputs: Uint8Array) => Uint8Array,
) {
  const response = ask(site, value)
  const job = await leaseOne(worker)
  const [work] = await worker.hold([job], compute)
  if (work === undefined || !(await response).ok) throw new Error('the request was not answered')
  await worker.submit(worker.draft([work.receipt]))
  return { id: idOf(work), input: sha256(job.inputs), output: sha256(work.outputs) }
}

function blobOf(site: Site, digest: Uint8Array): Promise<Response> {
  return fetch(new URL(`/blobs/${Buffer.from(digest).toString('hex')}`, site.url))
}
