import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseAddress } from '../../../anchor/address.ts'
import { taprootAddress } from '../../../anchor/taproot-address.ts'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { newWorkerKey, publicKeyOf } from '../../../compute/work/worker-key.ts'
import { signRegistration } from '../../../compute/work/worker-registration.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import {
  exportPsbt,
  readPayoutPlan,
  resumePayouts,
  runPayouts,
  stopPayouts,
} from '../../../src/client/payouts.ts'
import { addressChangeMessage } from '../../../src/log/address-change.ts'
import { replay } from '../../../src/replay/replay.ts'
import { signAsP2tr } from '../../anchor/sign-message.ts'
import { changeEntry } from '../replay/changed-log.ts'
import { recordLog } from '../replay/recorded-log.ts'
import { createPeer, type Peer, worksOf } from './peer.ts'
import { openSite, type Site, TOKEN } from './site.ts'
import { tinyInput, tinyMarket } from './tiny-market.ts'

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

/** Of which a worker's share is about half, whatever the beacon deals to it. */
const SMALL_REWARDS = tinyMarket({
  dataset: { items: Array.from({ length: 96 }, (_, item) => tinyInput(item + 1)), perEpoch: 96 },
})

const freshAddress = () => taprootAddress(publicKeyOf(newWorkerKey()), 'regtest')

/** A change to `address`, signed by the key of the peer's present one unless another is given. */
function changeOf(site: Site, peer: Peer, address: string, fields: object = {}, key = peer.addressKey) {
  const declared = site.house().desks.registry.declarations(peer.key).at(0)
  const change = {
    worker: peer.key,
    address,
    thresholdSats: 0n,
    replaces: declared?.entry ?? -1,
    expiryHeight: (site.coordinator().advancedTo() ?? 0) + 20,
    ...fields,
  }
  const { script } = parseAddress(peer.address, 'regtest')
  const { worker: _, ...body } = change
  return { ...body, signature: signAsP2tr(addressChangeMessage(change, site.origin), script, key) }
}

async function refusal(peer: Peer, body: unknown): Promise<unknown> {
  const response = await peer.post('/v1/workers/address', encodeCbor(body))
  const { code } = Object(await response.json())
  return [response.status, code]
}

test('a new address is taken with the old one’s signature alone, and payouts planned once it is final go there', async () => {
  await using site = await openSite(node)
  const [worker, operator] = await site.begin(1)
  if (worker === undefined || operator === undefined) throw new Error('too few peers')
  const address = freshAddress()
  const tip = site.coordinator().advancedTo() ?? 0
  const good = changeOf(site, worker, address)
  for (const [status, code, body] of [
    [400, 'signature_invalid', changeOf(site, worker, address, {}, newWorkerKey())],
    [400, 'signature_invalid', { ...good, address: freshAddress() }],
    [400, 'signature_invalid', { ...good, thresholdSats: 1n }],
    [400, 'signature_invalid', { ...good, expiryHeight: good.expiryHeight + 1 }],
    [400, 'expiry_out_of_range', changeOf(site, worker, address, { expiryHeight: tip })],
    [400, 'expiry_out_of_range', changeOf(site, worker, address, { expiryHeight: tip + 1_009 })],
    [409, 'replaces_mismatch', changeOf(site, worker, address, { replaces: 0 })],
    [400, 'address_reserved', changeOf(site, worker, site.coordinator().treasuryAddress)],
    [400, 'address_invalid', changeOf(site, worker, 'satoshi')],
  ] as const) {
    expect(await refusal(worker, body), code).toEqual([status, code])
  }
  // Another worker can't move it: the line names whose earnings they are.
  expect(await refusal(operator, good)).toEqual([409, 'replaces_mismatch'])
  await worker.call('/v1/workers/address', good)
  expect(await refusal(worker, changeOf(site, worker, freshAddress()))).toEqual([409, 'address_pending'])

  await worksOf(worker.work())
  await site.mineAudited(
    [operator],
    'the settled payout',
    () => site.status().payouts[0]?.state === 'settled',
  )
  expect(await site.satsOnChain(worker.address)).toBe(0n)
  expect(await site.satsOnChain(address)).toBe(57_000n)
  await site.anchorAll()
  await site.mine(site.config.epoch.finalDepth)

  const log = await recordLog(site, node)
  expect((await replay(log)).first).toBeNull()
  const forged = await changeEntry(log, 'address', (entry) => ({
    ...entry,
    signature: entry.signature.with(9, (entry.signature[9] ?? 0) ^ 1),
  }))
  expect((await replay(forged.source)).first).toMatchObject({
    rule: 'workers',
    code: 'signature_invalid',
    entry: forged.entry,
  })
  const elsewhere = await changeEntry(log, 'address', (entry) => ({ ...entry, address: freshAddress() }))
  expect((await replay(elsewhere.source)).first).toMatchObject({ rule: 'workers', code: 'signature_invalid' })
  const nobodys = await changeEntry(log, 'address', (entry) => ({ ...entry, replaces: 0 }))
  expect((await replay(nobodys.source)).first).toMatchObject({ rule: 'workers', code: 'address_unknown' })
})

test('the plan says who waits and why, the kill switch holds, and everyone owed is paid once it is off', async () => {
  await using site = await openSite(node)
  const [worker, operator] = await site.begin(1)
  if (worker === undefined || operator === undefined) throw new Error('too few peers')
  const asOperator = { url: site.url, token: TOKEN }
  await worksOf(worker.work())
  await stopPayouts(asOperator, 'a test')
  await site.mineAudited([operator], 'matured rewards', () => {
    return site.coordinator().books.ledger.balance(`worker/${worker.hex}/matured`).postedMsat > 0n
  })
  await site.mine(4)
  expect(site.status()).toMatchObject({ payouts: [], payoutsStopped: { reason: 'a test' } })
  const plan = await readPayoutPlan(asOperator)
  expect(plan).toMatchObject({
    payees: [{ account: `worker/${worker.hex}/matured`, address: worker.address, sats: '57000' }],
    held: [{ account: `worker/${operator.hex}/matured`, sats: '3000', reason: 'below_threshold' }],
    totalSats: '57000',
    quote: { coins: [{ valueSats: '2000000' }] },
    trouble: null,
    stopped: { reason: 'a test' },
  })
  // Kept over a restart.
  await site.reopen()
  await site.mine(1)
  expect(site.status().payouts).toEqual([])

  const again = { url: site.url, token: TOKEN }
  await resumePayouts(again)
  expect(await runPayouts(again)).toMatchObject({
    payouts: [{ number: 0, totalSats: '57000', state: 'logged' }],
  })
  await stopPayouts(again, 'another test')
  await site.mine(4)
  expect(site.status().payouts).toMatchObject([{ state: 'pinned', txid: null }])
  await resumePayouts(again)
  await site.mineUntil('the settled payout', () => site.status().payouts[0]?.state === 'settled')
  expect(await site.satsOnChain(worker.address)).toBe(57_000n)
  expect(await site.reconcile()).toMatchObject({ ok: true })
  await expect(exportPsbt(again, 0)).rejects.toMatchObject({ code: 'nothing_to_sign', status: 404 })
})

test('a worker that wants more at a time is left to wait for it, and the limits of run and day hold', async () => {
  const flags = {
    'payout.payeeCapSats': '4000',
    'payout.runCapSats': '4000',
    'payout.dayCapSats': '8000',
    'payout.thresholdSats': '3500',
    'payout.feeShareBasisPoints': '10000',
  }
  await using site = await openSite(node, { flags, subnets: [SMALL_REWARDS] })
  const patient = createPeer(site)
  await patient.call(
    '/v1/workers',
    signRegistration(patient.address, site.origin, patient.secretKey, 60_000n),
  )
  const [worker, operator] = await site.begin(1)
  if (worker === undefined || operator === undefined) throw new Error('too few peers')
  await worksOf(worker.work())
  await worksOf(patient.work())
  await site.mineAudited([worker, operator], 'two payouts', () => {
    const { payouts } = site.status()
    return payouts.length === 2 && payouts.every(({ state }) => state === 'settled')
  })
  await site.mine(3)
  expect(await site.satsOnChain(worker.address)).toBe(8_000n)
  expect(await site.satsOnChain(patient.address)).toBe(0n)
  expect(site.status().payouts).toHaveLength(2)
  const plan = await readPayoutPlan({ url: site.url, token: TOKEN })
  expect(plan.payees).toEqual([])
  expect(plan.held).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ account: `worker/${worker.hex}/matured`, reason: 'day_cap' }),
      expect.objectContaining({ account: `worker/${patient.hex}/matured`, reason: 'below_threshold' }),
    ]),
  )
  expect(await site.reconcile()).toMatchObject({ ok: true })
})
