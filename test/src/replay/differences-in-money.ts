import { freshAddress } from '../../../src/demo/site.ts'
import { type Entry, encodeEntry, parseEntry } from '../../../src/log/entry.ts'
import { txidBytes } from '../../../src/log/txid.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import { epochOf } from '../../../src/rules/epoch.ts'
import { epochRules } from '../../../src/rules/epoch-rules.ts'
import {
  appendEntry,
  type ChangedLog,
  changeEntry,
  changeMaturity,
  changePayees,
  changeTable,
  type Difference,
  withBytes,
  without,
} from './changed-log.ts'
import { entriesOf, find, inOrder } from './recorded-log.ts'

const NOTHING = new Uint8Array(32)

export const DIFFERENCES_IN_MONEY: Difference[] = [
  [
    'an accrual of 1 msat more',
    'epochs: accrual_mismatch',
    (log) =>
      changeTable(log, ({ compute: [first, ...rest], ...table }) => ({
        ...table,
        compute: [{ ...first, msat: (first?.msat ?? 0n) + 1n }, ...rest],
      })),
  ],
  [
    'an accrual of another model, which may be frozen',
    'epochs: accrual_mismatch',
    (log) =>
      changeTable(log, ({ compute: [first, ...rest], ...table }) => ({
        ...table,
        compute: [{ ...first, model: '00'.repeat(32) }, ...rest],
      })),
  ],
  [
    'a reason that is not the receipt’s',
    'epochs: accrual_mismatch',
    (log) =>
      changeTable(log, ({ receipts, ...table }) => ({
        ...table,
        receipts: receipts.map((one) => ({ ...one, reason: 'no_budget' })),
      })),
  ],
  [
    'a sum of 1 msat more',
    'epochs: sum_mismatch',
    (log) => changeEntry(log, 'epoch', (entry) => ({ ...entry, computeMsat: entry.computeMsat + 1n })),
  ],
  [
    'a sum of 1 msat more for auditors',
    'epochs: sum_mismatch',
    (log) => changeEntry(log, 'epoch', (entry) => ({ ...entry, auditMsat: entry.auditMsat + 1n })),
  ],
  [
    'more returned to the reserve',
    'epochs: sum_mismatch',
    (log) => changeEntry(log, 'epoch', (entry) => ({ ...entry, returnedMsat: entry.returnedMsat + 1n })),
  ],
  [
    'a table that is withheld',
    'epochs: blob_missing',
    (log) => changeEntry(log, 'epoch', (entry) => ({ ...entry, accruals: NOTHING })),
  ],
  [
    'a settlement by another block',
    'epochs: block_mismatch',
    (log) => changeEntry(log, 'epoch', (entry) => ({ ...entry, blockHash: NOTHING })),
  ],
  [
    'a settlement at another height',
    'epochs: height_mismatch',
    (log) => changeEntry(log, 'epoch', (entry) => ({ ...entry, height: entry.height + 1 })),
  ],
  ['an epoch passed over', 'epochs: epoch_skipped', epochPassedOver],
  ['an epoch that had neither budget nor work', 'epochs: epoch_empty', emptyEpoch],
  [
    'an epoch settled twice',
    'epochs: epoch_repeated',
    (log) =>
      changeEntry(
        log,
        'epoch',
        (entry) => ({ ...entry, epoch: 0 }),
        ({ epoch }) => epoch > 0,
      ),
  ],
  [
    'an epoch of the far future',
    'epochs: settled_early',
    (log) => changeEntry(log, 'epoch', (entry) => ({ ...entry, epoch: 2 ** 52 })),
  ],
  [
    'a budget above the schedule',
    'budgets: budget_above_schedule',
    (log) => changeEntry(log, 'budget', (entry) => ({ ...entry, msat: entry.msat + 1n })),
  ],
  [
    'a second budget for an epoch',
    'budgets: budget_repeated',
    (log) =>
      changeEntry(
        log,
        'budget',
        (entry) => ({ ...entry, epoch: 0 }),
        ({ epoch }) => epoch === 1,
      ),
  ],
  [
    'a budget that keeps something back',
    'budgets: budget_too_small',
    (log) => changeEntry(log, 'budget', (entry) => ({ ...entry, msat: entry.msat - 1n })),
  ],
  [
    'a budget for an epoch far ahead',
    'budgets: budget_out_of_turn',
    (log) => changeEntry(log, 'budget', (entry) => ({ ...entry, epoch: 2 ** 52 })),
  ],
  ['a budget of nothing', 'budgets: budget_too_small', emptyBudget],
  ['a budget that nothing covers', 'budgets: budget_not_covered', uncoveredBudget],
  [
    'rewards that mature at another height',
    'maturity: height_mismatch',
    (log) => changeMaturity(log, (entry) => ({ ...entry, height: entry.height - 1 })),
  ],
  [
    'rewards of an epoch that is not settled',
    'maturity: epoch_not_settled',
    (log) => changeMaturity(log, (entry) => ({ ...entry, epoch: 50 })),
  ],
  [
    'a deposit that is larger than its coin',
    'deposits: coin_mismatch',
    (log) => changeEntry(log, 'deposit', (entry) => ({ ...entry, sats: entry.sats + 1n })),
  ],
  [
    'a deposit that is in no block',
    'deposits: coin_mismatch',
    (log) => changeEntry(log, 'deposit', (entry) => ({ ...entry, txid: NOTHING })),
  ],
  [
    'a deposit that is in another block',
    'deposits: coin_mismatch',
    (log) => changeEntry(log, 'deposit', (entry) => ({ ...entry, height: entry.height - 1 })),
  ],
  [
    'a deposit booked before it is final',
    'deposits: deposit_early',
    (log) => changeEntry(log, 'deposit', (entry) => ({ ...entry, height: entry.height + 100 })),
  ],
  [
    'a deposit of 0 sat',
    'deposits: deposit_of_nothing',
    (log) => changeEntry(log, 'deposit', (entry) => ({ ...entry, sats: 0n })),
  ],
  ['a deposit booked twice', 'deposits: deposit_repeated', (log) => appendEntry(log, 'deposit')],
  [
    'a deposit booked to somebody',
    'deposits: account_mismatch',
    (log) => changeEntry(log, 'deposit', (entry) => ({ ...entry, account: 'requester/somebody' })),
  ],
  [
    'a payout to another address',
    'payouts: payee_address_mismatch',
    (log) => changePayees(log, (payees) => payees.map((one) => ({ ...one, address: freshAddress() }))),
  ],
  [
    'a payout to no address at all',
    'payouts: payee_address_mismatch',
    (log) => changePayees(log, (payees) => payees.map((one) => ({ ...one, address: 'nowhere' }))),
  ],
  [
    'a payout of more than has matured',
    'payouts: payee_not_owed',
    (log) => changePayees(log, (payees) => payees.map((one) => ({ ...one, sats: one.sats + 1_000_000n }))),
  ],
  [
    'a payout whose sum is another',
    'payouts: sum_mismatch',
    (log) => changeEntry(log, 'payout', (entry) => ({ ...entry, totalSats: entry.totalSats + 1n })),
  ],
  [
    'a payout to more than it lists',
    'payouts: count_mismatch',
    (log) => changeEntry(log, 'payout', (entry) => ({ ...entry, count: entry.count + 1 })),
  ],
  [
    'a payout that was planned after it was logged',
    'payouts: height_mismatch',
    (log) => changeEntry(log, 'payout', (entry) => ({ ...entry, height: entry.height + 50 })),
  ],
  [
    'a payout that was planned before what it follows',
    'payouts: height_mismatch',
    (log) => changeEntry(log, 'payout', (entry) => ({ ...entry, height: 1 })),
  ],
  ['a payout before the one before it is final', 'payouts: payout_not_final', hastyPayout],
  [
    'a payout out of its turn',
    'payouts: payout_number_mismatch',
    (log) => changeEntry(log, 'payout', (entry) => ({ ...entry, payout: 3 })),
  ],
  [
    'a payout by a number that no account can have',
    'payouts: payout_number_mismatch',
    (log) => changeEntry(log, 'payout', (entry) => ({ ...entry, payout: Number.MAX_SAFE_INTEGER })),
  ],
  [
    'a payout of which the chain shows 1 sat more',
    'payments: payment_mismatch',
    (log) =>
      changePayees(log, ([first, ...rest]) =>
        first === undefined ? [] : [{ ...first, sats: first.sats - 1n }, ...rest],
      ),
  ],
  [
    'a payout from another coin than the pinned one',
    'payments: input_not_pinned',
    (log) => changeEntry(log, 'payout', (entry) => ({ ...entry, input: { ...entry.input, vout: 5 } })),
  ],
  [
    'a pinned coin of another value',
    'payments: input_value_mismatch',
    (log) => changeEntry(log, 'payout', (entry) => ({ ...entry, input: { ...entry.input, sats: 1n } })),
  ],
  ['the change of a payout, booked as a deposit', 'payments: change_deposited', depositedChange],
]

/** Epoch 0 and what came of it are left out, and all quotes, which follow demand. */
async function epochPassedOver(log: ReplaySource): Promise<ChangedLog> {
  const { index } = await find(log, 'epoch', ({ epoch }) => epoch > 0)
  const isConsequence = (entry: Entry) =>
    entry.kind === 'epoch' ||
    entry.kind === 'payout' ||
    (entry.kind === 'status' && entry.subject === 'epoch')
  const isLeftOut = (entry: Entry, i: number) => entry.kind === 'price' || (i < index && isConsequence(entry))
  return { source: await without(log, isLeftOut), entry: index }
}

/** At the end of the log, where the schedule has nothing more. */
async function emptyBudget(log: ReplaySource): Promise<ChangedLog> {
  const { entry: genesis } = await find(log, 'genesis')
  const epoch = (epochOf(log.chain.tipHeight + 1, epochRules(genesis)) ?? 0) + 1
  const entries = await entriesOf(log)
  const budget = encodeEntry({ v: 1, kind: 'budget', epoch, msat: 0n })
  return { source: { ...log, entries: () => inOrder([...entries, budget]) }, entry: entries.length }
}

/** Nobody worked in epoch 1: without its budget there is nothing to settle. */
async function emptyEpoch(log: ReplaySource): Promise<ChangedLog> {
  const source = await without(log, (entry) => entry.kind === 'budget' && entry.epoch === 1)
  return { source, entry: (await find(log, 'epoch', ({ epoch }) => epoch === 1)).index }
}

/** In the place of a price between the first payout and the second, whose entry says that the first is settled. */
async function depositedChange(log: ReplaySource): Promise<ChangedLog> {
  const { index, entry } = await find(log, 'payout')
  const { txid, height } = log.claims?.payments.get(0) ?? { txid: null, height: null }
  if (txid === null || height === null) throw new Error('the first payout is paid')
  const later = (await entriesOf(log)).findIndex(
    (bytes, i) => i > index && parseEntry(bytes).kind === 'price',
  )
  const change = { account: 'reserve', height, txid: txidBytes(txid), vout: entry.count, sats: 1n }
  const deposit = encodeEntry({ v: 1, kind: 'deposit', ...change })
  return { source: await withBytes(log, later, deposit), entry: index }
}

/** The second payout in the place of what was anchored just before the first was paid. */
async function hastyPayout(log: ReplaySource): Promise<ChangedLog> {
  const paidHeight = log.claims?.payments.get(0)?.height ?? null
  const { entry } = await find(log, 'payout', ({ payout }) => payout === 1)
  const { index: first } = await find(log, 'payout')
  const anchor = log.anchors.findLast(({ size, height }) => size > first + 1 && height < (paidHeight ?? 0))
  if (anchor === undefined) throw new Error('something is anchored between intent and payment')
  const hasty = encodeEntry({ ...entry, height: anchor.height })
  return { source: await withBytes(log, anchor.size - 1, hasty), entry: anchor.size - 1 }
}

/** The coin is larger in truth: only without a node does the budget show it first. */
async function uncoveredBudget(log: ReplaySource): Promise<ChangedLog> {
  const { source } = await changeEntry(log, 'deposit', (entry) => ({ ...entry, sats: 1n }))
  return {
    source: { ...source, chain: { ...source.chain, node: null } },
    entry: (await find(log, 'budget')).index,
  }
}
