import { Transaction, utils } from '@scure/btc-signer'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sealScript } from '../../../anchor/commitment.ts'
import { newWorkerKey } from '../../../compute/work/worker-key.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { exportPsbt, importPsbt } from '../../../src/client/payouts.ts'
import { encodeEntry } from '../../../src/log/entry.ts'
import { txidBytes } from '../../../src/log/txid.ts'
import { replay } from '../../../src/replay/replay.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import { mineEmpty } from '../../anchor/anchor-site.ts'
import { signedPayment } from '../../anchor/signed-payment.ts'
import { entriesOf, inOrder, recordLog } from '../replay/recorded-log.ts'
import { type Peer, worksOf } from './peer.ts'
import { openSite, type Site, TOKEN } from './site.ts'

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

/** Until the first payout is in that state, everything audited. */
async function until(site: Site, operator: Peer, state: string): Promise<void> {
  await site.mineAudited(
    [operator],
    `a payout that is ${state}`,
    () => site.status().payouts[0]?.state === state,
  )
}

/** Blocks that leave the mempool alone. */
async function waitInVain(site: Site, blocks: number): Promise<void> {
  for (let block = 0; block < blocks; block += 1) {
    await mineEmpty(node)
    await site.coordinator().kick()
  }
}

/** What the operator says of its one payment, changed. */
function claiming(
  log: ReplaySource,
  change: (child: { txid: string; height: number | null } | null) => typeof child,
): ReplaySource {
  const { claims } = log
  if (claims === null) throw new Error('no claims')
  const payments = new Map(
    [...claims.payments].map(([number, payment]) => [number, { ...payment, child: change(payment.child) }]),
  )
  return { ...log, claims: { ...claims, payments } }
}

/** What the child brought back to the treasury, booked once more. */
async function withDepositedChild(log: ReplaySource): Promise<ReplaySource> {
  const { txid = '', height = 0 } = log.claims?.payments.get(0)?.child ?? {}
  const coin = await log.chain.node?.txOut({ txid, vout: 0 }, { mempool: false })
  if (height === null || !coin) throw new Error('no child')
  const sats = coin.valueSats
  const deposit = {
    v: 1,
    kind: 'deposit',
    account: 'reserve',
    height,
    txid: txidBytes(txid),
    vout: 0,
    sats,
  } as const
  const entries = (await entriesOf(log)).toSpliced(-1, 0, encodeEntry(deposit))
  return { ...log, entries: () => inOrder(entries) }
}

test('a payout that a payee pins is paid for by a child, which books and audit follow to the satoshi', async () => {
  const flags = {
    'anchor.targetBlocks': '2',
    'payout.feeShareBasisPoints': '10000',
    'payout.capSats': '5000',
  }
  await using site = await openSite(node, { flags })
  const [worker, operator] = await site.begin(1)
  if (worker === undefined || operator === undefined) throw new Error('too few peers')
  await worksOf(worker.work())
  await until(site, operator, 'broadcast')
  const { txid = '' } = site.house().payer.payouts()[0]?.payment ?? {}
  const { raw } = signedPayment({
    secretKey: worker.addressKey,
    inputs: [{ txid, vout: 0, valueSats: 57_000n }],
    outputs: [],
    changeScript: sealScript(utils.pubSchnorr(worker.addressKey), null),
    feeSats: 50_000n,
  })
  await node.rpc.call('sendrawtransaction', Buffer.from(raw).toString('hex'))
  await waitInVain(site, 3)
  const [bumped] = site.status().payouts
  expect(bumped).toMatchObject({ state: 'broadcast', txid, child: { height: null }, trouble: null })
  expect(await site.reconcile()).toMatchObject({ ok: true })
  await until(site, operator, 'settled')
  expect(await site.reconcile()).toMatchObject({ ok: true })
  expect(await site.satsOnChain(worker.address)).toBe(7_000n)
  await site.anchorAll()
  await site.mine(site.config.epoch.finalDepth)

  const log = await recordLog(site, node)
  expect((await replay(log)).first).toBeNull()
  const silent = await replay(claiming(log, () => null))
  expect(silent.first).toMatchObject({ rule: 'treasury', code: 'coin_gone' })
  const invented = await replay(claiming(log, (child) => child && { ...child, txid: '00'.repeat(32) }))
  expect(invented.first).toMatchObject({ rule: 'payments', code: 'child_mismatch' })
  const booked = await replay(await withDepositedChild(log))
  expect(booked.first).toMatchObject({ rule: 'payments', code: 'change_deposited' })
})

test('with an external signer no key of the treasury is here: payouts go out as PSBT and come back signed', async () => {
  const secretKey = newWorkerKey()
  const treasuryKey = Buffer.from(utils.pubSchnorr(secretKey)).toString('hex')
  await using site = await openSite(node, {
    flags: { 'payout.signer': 'psbt', 'payout.treasuryKey': treasuryKey },
  })
  const [worker, operator] = await site.begin(1)
  if (worker === undefined || operator === undefined) throw new Error('too few peers')
  const asOperator = { url: site.url, token: TOKEN }
  await worksOf(worker.work())
  await until(site, operator, 'prepared')
  await site.mine(3)
  expect(site.status().payouts).toMatchObject([
    { state: 'prepared', trouble: expect.stringContaining('signature') },
  ])
  const psbt = Transaction.fromPSBT(await exportPsbt(asOperator, 0))
  await expect(importPsbt(asOperator, 0, psbt.toPSBT(0))).rejects.toMatchObject({
    code: 'psbt_unsigned',
    status: 400,
  })
  psbt.sign(secretKey)
  expect(await importPsbt(asOperator, 0, psbt.toPSBT(0))).toBe(psbt.id)
  await until(site, operator, 'settled')
  expect(await site.satsOnChain(worker.address)).toBe(57_000n)
  expect(await site.reconcile()).toMatchObject({ ok: true })
})
