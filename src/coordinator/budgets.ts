import { type AccountName, budgetAccount } from '../ledger/accounts.ts'
import type { Anchored } from '../rules/anchored.ts'
import { budgetInForce } from '../rules/budget.ts'
import type { EpochRules } from '../rules/epoch.ts'
import { epochOf, firstHeight } from '../rules/epoch.ts'
import { freeReserveMsat } from '../rules/free-reserve.ts'
import type { SubsidyRules } from '../rules/subsidy.ts'
import { subsidyMsat } from '../rules/subsidy.ts'
import type { Books } from './books.ts'
import { postAll, record } from './books.ts'

export interface Budgets {
  /** Fixes the budget of the epoch after the next block's, once. @returns whether it was written now. */
  budgetDue(tip: number): boolean
  /** The budget in force: 0 when its entry wasn't anchored before the epoch's first block. */
  budgetInForce(epoch: number, anchored: Anchored): bigint
  /** The budget as booked, whether it will be in force or not. */
  booked(epoch: number): bigint
}

export function openBudgets(
  books: Books,
  parts: { rules: EpochRules; subsidy: SubsidyRules; feeReserveSats: bigint },
): Budgets {
  const { db } = books
  const select = db.prepare<[number], { budget_entry: bigint | null; budget_msat: bigint }>(
    'SELECT budget_entry, budget_msat FROM epoch WHERE number = ?',
  )
  const selectFees = db
    .prepare<[], bigint>(
      `SELECT coalesce(sum(amount_msat), 0) FROM ledger_transfer
        WHERE debit = 'fees' AND entry_index < (SELECT max(entry_index) FROM payout)`,
    )
    .pluck()
  const upsert = db.prepare(
    `INSERT INTO epoch (number, budget_entry, budget_msat) VALUES (?, ?, ?)
     ON CONFLICT (number) DO UPDATE SET budget_entry = excluded.budget_entry, budget_msat = excluded.budget_msat
      WHERE budget_entry IS NULL`,
  )

  function budgetDue(tip: number): boolean {
    const current = epochOf(tip + 1, parts.rules)
    const epoch = current === null ? 0 : current + 1
    // Its anchor must be mined before the epoch's first block: too late is never.
    if (tip + 1 >= firstHeight(epoch, parts.rules)) return false
    const row = select.get(epoch)
    if (row !== undefined && row.budget_entry !== null) return false
    // What a quarantined account takes part in is not posted, and the reserve may lack it: what is free can't be said.
    if (books.ledger.quarantined().size > 0) return false
    const msat = affordable(subsidyMsat(epoch, parts.subsidy))
    if (msat === 0n) return false
    record(books, { v: 1, kind: 'budget', epoch, msat }, (entryIndex) => {
      postAll(books, [
        {
          id: `budget/${epoch}`,
          debit: 'reserve',
          credit: budgetAccount(epoch),
          amountMsat: msat,
          code: 'budget',
          entryIndex,
        },
      ])
      if (upsert.run(epoch, entryIndex, msat).changes !== 1)
        throw new Error(`epoch ${epoch} has a budget already`)
    })
    return true
  }

  /** Never more than the treasury holds free of liabilities and of the reserve for fees (DESIGN §8). */
  function affordable(msat: bigint): bigint {
    const msatOf = (account: AccountName) => books.ledger.balance(account).postedMsat
    const freeMsat = freeReserveMsat({
      reserveMsat: msatOf('reserve'),
      feesMsat: selectFees.get() ?? 0n,
      inheritedMsat: msatOf('inherited'),
      lostMsat: msatOf('lost'),
      feeReserveSats: parts.feeReserveSats,
    })
    return msat < freeMsat ? msat : freeMsat
  }

  return {
    budgetDue,
    budgetInForce(epoch, anchored) {
      const row = select.get(epoch)
      const isBooked = row !== undefined && row.budget_entry !== null
      const budget = isBooked ? { entry: Number(row.budget_entry), msat: row.budget_msat } : null
      return budgetInForce(budget, epoch, { anchored, rules: parts.rules })
    },
    booked: (epoch) => select.get(epoch)?.budget_msat ?? 0n,
  }
}
