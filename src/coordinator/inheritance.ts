import { maturedAccount, requesterAccount, unmaturedAccount } from '../ledger/accounts.ts'
import type { Transfer } from '../ledger/transfer.ts'
import { type InheritedBalances, parseInheritedBalances } from '../log/inherited-balances.ts'
import type { EpochRules } from '../rules/epoch.ts'
import { inheritedMaturityHeight } from '../rules/epoch.ts'
import type { Books } from './books.ts'
import { postAll, record } from './books.ts'

/** Books what the log before owed, as the genesis at `entryIndex` names it: in that entry's transaction. */
export function bookInheritance(books: Books, blob: Uint8Array, entryIndex: number): void {
  const { requesters, workers } = parseInheritedBalances(blob)
  const insert = books.db.prepare(
    'INSERT INTO inheritance (worker, address, unmatured_msat) VALUES (?, ?, ?)',
  )
  for (const { worker, address, unmaturedMsat } of workers) insert.run(worker, address, unmaturedMsat)
  postAll(books, debtsOf({ requesters, workers }, entryIndex))
}

/** The coins come as deposits, and are the reserve's: `inherited` says how much of it is not. */
function debtsOf(
  { requesters, workers }: Pick<InheritedBalances, 'requesters' | 'workers'>,
  entryIndex: number,
): Transfer[] {
  const owed = [
    ...requesters.map(({ requester, msat }) => ({ credit: requesterAccount(requester), amountMsat: msat })),
    ...workers.flatMap(({ worker, maturedMsat, unmaturedMsat }) => {
      const key = Buffer.from(worker).toString('hex')
      return [
        { credit: maturedAccount(key), amountMsat: maturedMsat },
        { credit: unmaturedAccount(key), amountMsat: unmaturedMsat },
      ]
    }),
  ]
  return owed
    .filter(({ amountMsat }) => amountMsat > 0n)
    .map(({ credit, amountMsat }) => ({
      id: `inherited/${credit}`,
      debit: 'inherited',
      credit,
      amountMsat,
      code: 'inherited',
      entryIndex,
    }))
}

export interface InheritanceDesk {
  /** Turns what came unmatured into money that can be paid, once, at its height. @returns whether it did now. */
  matureDue(tip: number): boolean
}

export function openInheritanceDesk(books: Books, rules: EpochRules): InheritanceDesk {
  const { db } = books
  const selectUnmatured = db.prepare<[], { worker: Uint8Array; unmatured_msat: bigint }>(
    'SELECT worker, unmatured_msat FROM inheritance WHERE unmatured_msat > 0 ORDER BY worker',
  )
  const clear = db.prepare('UPDATE inheritance SET unmatured_msat = 0')

  return {
    matureDue(tip) {
      const height = inheritedMaturityHeight(rules)
      const rows = selectUnmatured.all()
      if (rows.length === 0 || tip < height) return false
      record(
        books,
        { v: 1, kind: 'status', subject: 'inheritance', status: 'matured', height },
        (entryIndex) => {
          postAll(
            books,
            rows.map(({ worker, unmatured_msat: amountMsat }) => {
              const key = Buffer.from(worker).toString('hex')
              const [debit, credit] = [unmaturedAccount(key), maturedAccount(key)]
              return {
                id: `inherited/matured/${key}`,
                debit,
                credit,
                amountMsat,
                code: 'matured',
                entryIndex,
              }
            }),
          )
          clear.run()
        },
      )
      return true
    },
  }
}
