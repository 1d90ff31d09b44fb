import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sealScript } from '../../../anchor/commitment.ts'
import type { Node } from '../../../anchor/node.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { reconcile } from '../../../src/coordinator/reconcile.ts'
import { signedPayment } from '../../anchor/signed-payment.ts'
import { worksOf } from './peer.ts'
import { openSite, type Site } from './site.ts'

const LAST_ANCHOR = `(SELECT max(id) FROM anchor_attempt WHERE state IN ('mined', 'final'))`

/** Statements behind the coordinator's back, what a reconciliation must find wrong after each, and how it is undone. */
const TAMPERING = [
  {
    what: 'a deposit that is not on the chain',
    sql: 'UPDATE deposit SET vout = vout + 7',
    undo: 'UPDATE deposit SET vout = vout - 7',
    wrong: ['treasury'],
    inconsistent: [],
  },
  {
    what: 'another fee of an anchor',
    sql: `UPDATE anchor_attempt SET fee_sats = fee_sats + 1 WHERE id = ${LAST_ANCHOR}`,
    undo: `UPDATE anchor_attempt SET fee_sats = fee_sats - 1 WHERE id = ${LAST_ANCHOR}`,
    wrong: ['seal'],
    inconsistent: [],
  },
  {
    what: 'a payout that took more from the treasury',
    sql: 'UPDATE payer_attempt SET change_sats = change_sats - 1',
    undo: 'UPDATE payer_attempt SET change_sats = change_sats + 1',
    wrong: ['payouts and fees'],
    inconsistent: [],
  },
  {
    what: 'a balance that no transfer made',
    sql: `UPDATE ledger_account SET credits_posted_msat = credits_posted_msat + 1 WHERE name = 'reserve'`,
    undo: `UPDATE ledger_account SET credits_posted_msat = credits_posted_msat - 1, quarantined = 0 WHERE name = 'reserve'`,
    wrong: ['liabilities'],
    inconsistent: ['reserve'],
  },
  {
    what: 'a transfer of another amount',
    sql: `DROP TRIGGER ledger_transfer_no_update;
          UPDATE ledger_transfer SET amount_msat = amount_msat + 1 WHERE id = 'payout/0/fee'`,
    undo: `UPDATE ledger_transfer SET amount_msat = amount_msat - 1 WHERE id = 'payout/0/fee';
           UPDATE ledger_account SET quarantined = 0`,
    wrong: ['payouts and fees'],
    inconsistent: ['fees', 'treasury'],
  },
]

const DEPOSIT_SATS = 100_000n

let node: RegtestNode
let site: Site
beforeAll(async () => {
  node = await startBitcoind()
  site = await openSite(node)
  const [worker, operator] = await site.begin(1)
  if (worker === undefined || operator === undefined) throw new Error('too few peers')
  await worksOf(worker.work())
  await site.mineAudited([operator], 'the payout', () =>
    site.status().payouts.some(({ state }) => state === 'settled'),
  )
  // The payout has spent the first deposit; this one stays.
  await node.fund(site.coordinator().treasuryAddress, DEPOSIT_SATS)
  await site.mine(2)
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await node.stop()
})

test('books that nobody touched agree with the chain, in every row', async () => {
  expect(await site.reconcile()).toMatchObject({
    ok: true,
    inconsistent: [],
    rows: [
      { what: 'treasury', ok: true },
      { what: 'seal', ok: true },
      { what: 'payouts and fees', ok: true },
      { what: 'liabilities', ok: true },
    ],
  })
})

test('each settled epoch is held against the chain by itself, once, and the result is kept and shown', async () => {
  const rows = () => site.coordinator().books.db.prepare('SELECT * FROM reconciliation').all()
  const settled = site.status().epochs.filter(({ settled, budgetMsat }) => settled && budgetMsat > 0n)
  const [last] = settled
  expect(rows()).toHaveLength(settled.length)
  expect(site.status().reconciled).toMatchObject({ epoch: last?.number, ok: true, differs: [] })
  const before = rows()
  await site.coordinator().kick()
  expect(rows()).toEqual(before)

  const { sql, undo } = TAMPERING[1] ?? { sql: '', undo: '' }
  const { db } = site.coordinator().books
  db.prepare('DELETE FROM reconciliation WHERE epoch = ?').run(last?.number)
  tamper(sql)
  await site.coordinator().kick()
  expect(site.status().reconciled).toMatchObject({ epoch: last?.number, ok: false, differs: ['seal'] })
  tamper(undo)
})

test.each(TAMPERING)('$what is found', async ({ sql, undo, wrong, inconsistent }) => {
  tamper(sql)
  expect(await findings()).toEqual({ ok: false, wrong, inconsistent })
  tamper(undo)
  expect(await findings()).toEqual({ ok: true, wrong: [], inconsistent: [] })
})

test('a coin that left the treasury without a payout is found', async () => {
  const { keys } = site
  const coin = (await site.coordinator().watched.treasuryCoins(1)).find(
    ({ valueSats }) => valueSats === DEPOSIT_SATS,
  )
  if (coin === undefined) throw new Error('the deposit is not there')
  const script = sealScript(keys.treasury.internalKey, null)
  const elsewhere = sealScript(keys.anchor.internalKey, null)
  const { raw } = signedPayment({
    secretKey: keys.treasury.secretKey,
    inputs: [coin],
    outputs: [{ script: elsewhere, valueSats: DEPOSIT_SATS / 2n }],
    changeScript: script,
    feeSats: 1_000n,
  })
  await node.rpc.call('sendrawtransaction', Buffer.from(raw).toString('hex'))
  await site.mine(1)
  expect(await findings()).toMatchObject({ ok: false, wrong: ['treasury'] })
})

test('a payout is known by its change alone: its other outputs are deposits, whoever they pay', () => {
  const { desks, payer } = site.house()
  const script = sealScript(site.keys.treasury.internalKey, null)
  const [payout] = payer.payouts()
  if (payout?.payment == null) throw new Error('no payout')
  const { payment, outputs } = payout
  const { txid } = payment
  const coin = { txid, valueSats: 1_000n, script, confirmations: 2 }
  const tip = site.coordinator().advancedTo() ?? 0
  expect(desks.deposits.bookNew([{ ...coin, vout: outputs.length }], tip)).toBe(0)
  expect(desks.deposits.bookNew([{ ...coin, vout: outputs.length - 1 }], tip)).toBe(1)
  expect(desks.deposits.bookNew([{ ...coin, vout: outputs.length - 1 }], tip)).toBe(0)
})

test('an output of 0 sat, which any miner can put there, is no deposit and stops nothing', () => {
  const script = sealScript(site.keys.treasury.internalKey, null)
  const nothing = { txid: '00'.repeat(32), vout: 0, valueSats: 0n, script, confirmations: 2 }
  const tip = site.coordinator().advancedTo() ?? 0
  expect(site.house().desks.deposits.bookNew([nothing], tip)).toBe(0)
})

test('a reading during which a block came is made again, three times at most', async () => {
  const coordinator = site.coordinator()
  const reconcileMoving = (moves: number) => {
    let asked = 0
    const node: Node = {
      ...coordinator.node,
      async chain() {
        asked += 1
        return { ...(await coordinator.node.chain()), hash: `${Math.min(asked, moves)}` }
      },
    }
    return reconcile({ ...coordinator, node }, site.house())
  }
  // Two calls for each reading.
  expect(await reconcileMoving(5)).toMatchObject({ height: coordinator.advancedTo() })
  await expect(reconcileMoving(6)).rejects.toMatchObject({ status: 503, code: 'chain_moved' })
})

test('a seal that was topped up holds the coin, too', async () => {
  await using topped = await openSite(node, { flags: { 'anchor.topUpBelowBlocks': '1000000' } })
  await node.fund(topped.coordinator().anchorAddress, 50_000n)
  await topped.mine(2)
  await topped.peer()
  await topped.anchorAll()
  const anchors = topped.house().anchorer.anchors()
  expect(anchors.reduce((sum, { topUpSats }) => sum + topUpSats, 0n)).toBe(50_000n)
  expect(await topped.reconcile()).toMatchObject({ ok: true })
})

function tamper(sql: string): void {
  const other = new Database(join(site.config.dataDir, 'assay.sqlite'))
  try {
    other.exec(sql)
  } finally {
    other.close()
  }
}

async function findings() {
  const { ok, rows, inconsistent } = await site.reconcile()
  return { ok, wrong: rows.filter((row) => !row.ok).map(({ what }) => what), inconsistent }
}
