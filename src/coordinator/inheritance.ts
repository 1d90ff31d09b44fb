import { maturedAccount, requesterAccount, unmaturedAccount } from '../ledger/accounts.ts'
import type { Transfer } from '../ledger/transfer.ts'
import { type InheritedBalances, parseInheritedBalances } from '../log/inherited-balances.ts'
import type { EpochRules } from '../rules/epoch.ts'
import { inheritedMaturityHeight } from '../rules/epoch.ts'
import type { Books } from './books.ts'
import { postAll, record } from './books.ts'
import type { Maturing } from './maturing.ts'

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
  /** The block at which it did; 0 before. */
  knownHeight(): number
}

export function openInheritanceDesk(
  books: Books,
  { rules, maturing }: { rules: EpochRules; maturing: Pick<Maturing, 'release'> },
): InheritanceDesk {
  const { db } = books
  const countWaiting = db
    .prepare<[], bigint>('SELECT count(*) FROM inheritance WHERE unmatured_msat > 0 AND is_due = 0')
    .pluck()
  const isDue = db
    .prepare<[], bigint>('SELECT EXISTS (SELECT 1 FROM inheritance WHERE unmatured_msat > 0 AND is_due = 1)')
    .pluck()
  const setDue = db.prepare('UPDATE inheritance SET is_due = 1')

  return {
    matureDue(tip) {
      const height = inheritedMaturityHeight(rules)
      if (countWaiting.get() === 0n || tip < height) return false
      const entry = { v: 1, kind: 'status', subject: 'inheritance', status: 'matured', height } as const
      record(books, entry, (entryIndex) => {
        setDue.run()
        maturing.release(entryIndex)
      })
      return true
    },
    knownHeight: () => (isDue.get() === 1n ? inheritedMaturityHeight(rules) : 0),
  }
}
