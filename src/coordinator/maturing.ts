import { maturedAccount, requesterAccount, unmaturedAccount } from '../ledger/accounts.ts'
import type { Transfer } from '../ledger/transfer.ts'
import {
  type Accrued,
  type ForfeitScope,
  INHERITED,
  isForfeited,
  mayMature,
  NO_MODEL,
  shareForfeit,
} from '../rules/maturing.ts'
import { modelKey } from '../rules/standings.ts'
import type { Books } from './books.ts'
import { postUnquarantined } from './books.ts'
import type { StandingRows } from './standing-rows.ts'

/** How unmatured rewards end. Both join the caller's transaction, whose entry justifies them. */
export interface Maturing {
  /** Everything whose height has come and that nothing holds back: `status` entries of epochs, workers and models free some. */
  release(entryIndex: number): void
  /** What a worker has unmatured, or that for audits alone. */
  unmaturedMsat(worker: Uint8Array, scope: ForfeitScope): bigint
  /** All of it, to whom a forfeit goes. */
  forfeit(worker: Uint8Array, entryIndex: number, scope: ForfeitScope): void
}

interface UnmaturedRow {
  /** Null: from the log before. */
  epoch: bigint | null
  worker: Uint8Array
  subnet: string
  model: string
  msat: bigint
  /** Of it what the ledger has posted. */
  posted_msat: bigint
  /** Whose fee; null: of the subsidy, or of several. */
  requester: string | null
  is_fee: bigint
}

const ANY_QUARANTINED = 'EXISTS (SELECT 1 FROM ledger_account WHERE quarantined = 1)'

/** Of fees: a quarantined account's reservations stay open until the ledger is rebuilt, which posts fee and end from the log. */
const POSTED_FEES_MSAT = `coalesce(sum(msat) FILTER (WHERE NOT (
  ${ANY_QUARANTINED} AND EXISTS (
    SELECT 1 FROM receipt JOIN ledger_transfer AS charge ON charge.id = 'charge/' || receipt.job
     WHERE receipt.id = fee.receipt AND NOT EXISTS (SELECT 1 FROM ledger_transfer WHERE pending_id = charge.id)))), 0)`

/** Of the subsidy: 0 where the budget was quarantined as the epoch was settled (settlement.ts names the transfer). */
const POSTED_MSAT = `iif(${ANY_QUARANTINED} AND NOT EXISTS (SELECT 1 FROM ledger_transfer
  WHERE id = 'epoch/' || epoch || '/' || subnet || '/' || model || '/' || lower(hex(worker))), 0, msat)`

export function openMaturing(books: Books, rows: Pick<StandingRows, 'standingOf' | 'isFrozen'>): Maturing {
  const { db } = books
  const selectDue = db.prepare<[], UnmaturedRow>(
    `SELECT epoch, worker, subnet, model, msat, ${POSTED_MSAT} AS posted_msat, NULL AS requester, 0 AS is_fee
       FROM accrual JOIN epoch ON epoch.number = accrual.epoch
      WHERE fate IS NULL AND matured_entry IS NOT NULL
      UNION ALL SELECT epoch, worker, subnet, model, sum(msat), ${POSTED_FEES_MSAT}, NULL, 1 FROM fee JOIN epoch ON epoch.number = fee.epoch
      WHERE fate IS NULL AND msat > 0 AND matured_entry IS NOT NULL GROUP BY epoch, worker, subnet, model
      UNION ALL SELECT NULL, worker, '${INHERITED}', '${NO_MODEL}', unmatured_msat, unmatured_msat, NULL, 0 FROM inheritance
      WHERE fate IS NULL AND unmatured_msat > 0 AND is_due = 1 ORDER BY epoch, worker, subnet, model, is_fee`,
  )
  const selectOwn = db.prepare<{ worker: Uint8Array }, UnmaturedRow>(
    `SELECT epoch, worker, subnet, model, msat, ${POSTED_MSAT} AS posted_msat, NULL AS requester, 0 AS is_fee FROM accrual
      WHERE worker = @worker AND fate IS NULL
      UNION ALL SELECT epoch, worker, subnet, model, sum(msat), ${POSTED_FEES_MSAT}, requester, 1 FROM fee
      WHERE worker = @worker AND fate IS NULL AND msat > 0 GROUP BY epoch, subnet, model, requester
      UNION ALL SELECT NULL, worker, '${INHERITED}', '${NO_MODEL}', unmatured_msat, unmatured_msat, NULL, 0 FROM inheritance
      WHERE worker = @worker AND fate IS NULL AND unmatured_msat > 0`,
  )
  const setFate = db.prepare(
    'UPDATE accrual SET fate = ? WHERE epoch = ? AND worker = ? AND subnet = ? AND model = ? AND fate IS NULL',
  )
  const setFeeFate = db.prepare(
    `UPDATE fee SET fate = ? WHERE epoch = ? AND worker = ? AND subnet = ? AND model = ?
        AND requester = coalesce(?, requester) AND fate IS NULL`,
  )
  const setInheritedFate = db.prepare('UPDATE inheritance SET fate = ? WHERE worker = ? AND fate IS NULL')

  function end(
    fate: 'matured' | 'forfeited',
    ended: readonly UnmaturedRow[],
    transfers: readonly Transfer[],
  ): void {
    postUnquarantined(
      books,
      transfers.filter(({ amountMsat }) => amountMsat > 0n),
    )
    for (const row of ended) if (endRow(fate, row) < 1) throw new Error('a reward ends once')
  }

  /** @returns rows that had not ended before: of fees one for each receipt */
  function endRow(
    fate: 'matured' | 'forfeited',
    { epoch, worker, subnet, model, requester, is_fee }: UnmaturedRow,
  ): number {
    if (epoch === null) return setInheritedFate.run(fate, worker).changes
    if (is_fee === 0n) return setFate.run(fate, epoch, worker, subnet, model).changes
    return setFeeFate.run(fate, epoch, worker, subnet, model, requester).changes
  }

  function takenOf(worker: Uint8Array, scope: ForfeitScope): UnmaturedRow[] {
    return selectOwn.all({ worker }).filter((row) => isForfeited(accruedOf(row), scope))
  }

  return {
    release(entryIndex) {
      const known = {
        standingOf: (worker: string) => rows.standingOf(Buffer.from(worker, 'hex')),
        isFrozen: rows.isFrozen,
      }
      const free = selectDue.all().filter((row) => mayMature(accruedOf(row), known))
      end(
        'matured',
        free,
        free.map((row) => {
          const { worker, subnet, model, msat } = accruedOf(row)
          return {
            id: `${row.epoch === null ? 'inherited' : `epoch/${row.epoch}`}/${row.is_fee === 1n ? 'fees/' : ''}matured/${modelKey(subnet, model)}/${worker}`,
            debit: unmaturedAccount(worker),
            credit: maturedAccount(worker),
            amountMsat: msat,
            code: 'matured',
            entryIndex,
          }
        }),
      )
    },
    unmaturedMsat: (worker, scope) => takenOf(worker, scope).reduce((sum, { msat }) => sum + msat, 0n),
    forfeit(worker, entryIndex, scope) {
      const own = takenOf(worker, scope)
      const { refunds, reserveMsat } = shareForfeit(own.map(accruedOf))
      const debit = unmaturedAccount(Buffer.from(worker).toString('hex'))
      const transfers: Transfer[] = refunds.map(({ requester, msat }) => ({
        id: `forfeit/${entryIndex}/${requester}`,
        debit,
        credit: requesterAccount(requester),
        amountMsat: msat,
        code: 'fee_refund',
        entryIndex,
      }))
      if (reserveMsat > 0n) {
        transfers.push({
          id: `forfeit/${entryIndex}`,
          debit,
          credit: 'reserve',
          amountMsat: reserveMsat,
          code: 'forfeit',
          entryIndex,
        })
      }
      end('forfeited', own, transfers)
    },
  }
}

function accruedOf({ worker, subnet, model, posted_msat: msat, requester }: UnmaturedRow): Accrued {
  return { worker: Buffer.from(worker).toString('hex'), subnet, model, msat, requester }
}
