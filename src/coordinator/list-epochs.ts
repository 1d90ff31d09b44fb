import { parseEntry } from '../log/entry.ts'
import { firstHeight, lastHeight, maturityHeight, settlementHeight } from '../rules/epoch.ts'
import { epochRules } from '../rules/epoch-rules.ts'
import type { Coordinator, OpenHouse } from './coordinator.ts'

const EPOCHS_PER_PAGE = 50

interface Row {
  number: bigint
  budget_msat: bigint
  budget_entry: bigint | null
  settled: bigint
  settled_entry: bigint | null
  matured_entry: bigint | null
  earners: bigint
}

/** Newest first, the next page before the last row's `number`. */
export function listEpochs({ books }: Coordinator, { genesis }: OpenHouse, before: number | null) {
  const rules = epochRules(genesis)
  const rows = books.db
    .prepare<[number, number], Row>(
      `SELECT number, budget_msat, budget_entry, settled, settled_entry, matured_entry,
              (SELECT count(DISTINCT worker) FROM accrual WHERE accrual.epoch = epoch.number) AS earners
         FROM epoch WHERE number < ? ORDER BY number DESC LIMIT ?`,
    )
    .all(before ?? Number.MAX_SAFE_INTEGER, EPOCHS_PER_PAGE)
  return rows.map((row) => {
    const number = Number(row.number)
    return {
      number,
      firstHeight: firstHeight(number, rules),
      lastHeight: lastHeight(number, rules),
      settlementHeight: settlementHeight(number, rules),
      maturityHeight: maturityHeight(number, rules),
      state: row.matured_entry !== null ? 'matured' : row.settled === 1n ? 'settled' : 'open',
      earners: Number(row.earners),
      budgetMsat: row.budget_msat,
      ...sharesOf(row.settled_entry),
      budgetEntry: numberOrNull(row.budget_entry),
      settledEntry: numberOrNull(row.settled_entry),
      maturedEntry: numberOrNull(row.matured_entry),
    }
  })

  /** Null until it is settled, and for an epoch that had nothing to settle. */
  function sharesOf(settledEntry: bigint | null) {
    const entry = settledEntry === null ? null : parseEntry(books.log.entry(Number(settledEntry)))
    if (entry?.kind !== 'epoch') return { computeMsat: null, auditMsat: null, returnedMsat: null }
    const { computeMsat, auditMsat, returnedMsat } = entry
    return { computeMsat, auditMsat, returnedMsat }
  }
}

function numberOrNull(value: bigint | null): number | null {
  return value === null ? null : Number(value)
}
