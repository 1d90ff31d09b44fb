import { contradictionEntry } from '../log/standing-entry.ts'
import {
  type Admission,
  admissionRefusal,
  admittedKeys,
  auditorsAt,
  auditorsOf,
  MAX_AUDITORS,
} from '../rules/auditors.ts'
import type { Contradiction } from '../rules/canaries.ts'
import type { Books } from './books.ts'
import { record } from './books.ts'
import { RefusedError } from './refused-error.ts'
import type { Registry } from './registry.ts'

/** The operator's decision on a key, as its entry says it. */
interface AuditorDecision {
  readonly worker: Uint8Array
  readonly status: 'admitted' | 'withdrawn'
  /** Public. */
  readonly reason: string
}

interface ListedAuditor {
  /** Key, hex. */
  readonly auditor: string
  readonly address: string
  /** The entry that admitted it; null for the one that genesis names. */
  readonly entry: number | null
  readonly reason: string | null
  /** Rounds that it was drawn for and that have no verdict. */
  readonly openRounds: number
}

export interface Auditors {
  /** Logs the decision. @returns its entry's index. Throws RefusedError. */
  decide(decision: AuditorDecision): number
  /** Keys in hex, by the log as it stands. */
  admitted(): ReadonlySet<string>
  /** Withdraws one whose verdicts known answers refute. @returns the entry's index */
  contradict(contradiction: Contradiction): number
  /** Keys that may be drawn for this author's receipts by an anchor over `size` entries. */
  candidatesOf(author: Uint8Array, size: number): Uint8Array[]
  /** All that would be drawn by an anchor over the log as it stands. */
  list(): ListedAuditor[]
}

interface Row {
  entry_index: bigint
  worker: Uint8Array
  address: string
  admitted: bigint
  reason: string
}

const REFUSALS = {
  worker_unknown: [404, 'this key is not registered: its owner starts `assay worker` first'],
  auditor_of_genesis: [409, "genesis names the operator's own auditor for ever"],
  auditor_status_same: [409, 'the log says so already'],
  auditors_full: [503, `at most ${MAX_AUDITORS} keys can be admitted at a time`],
} as const

export function openAuditors(
  books: Books,
  { registry, operator }: { registry: Registry; operator: Uint8Array },
): Auditors {
  const { db } = books
  const selectAll = db.prepare<[], Row>(
    `SELECT admission.entry_index, admission.worker, address, admitted, reason
       FROM admission JOIN worker ON worker.key = admission.worker ORDER BY admission.entry_index`,
  )
  const insert = db.prepare(
    'INSERT INTO admission (entry_index, worker, admitted, reason) VALUES (?, ?, ?, ?)',
  )
  const countOpen = db
    .prepare<[Uint8Array], bigint>(
      `SELECT count(*) FROM audit WHERE auditor = ? AND state IN ('drawn', 'committed')`,
    )
    .pluck()

  function decide({ worker, status, reason }: AuditorDecision): number {
    const isAdmitted = status === 'admitted'
    const refusal = admissionRefusal(admissions(), { worker: registry.find(worker), isAdmitted, operator })
    if (refusal !== null) throw new RefusedError(REFUSALS[refusal][0], refusal, REFUSALS[refusal][1])
    return record(books, { v: 1, kind: 'status', subject: 'auditor', worker, status, reason }, (index) => {
      insert.run(index, worker, isAdmitted ? 1 : 0, reason)
      return index
    })
  }

  function contradict(contradiction: Contradiction): number {
    const reason = `refuted by known answers, last that of receipt ${contradiction.record.fails.at(-1)?.receipt}`
    return record(books, contradictionEntry(contradiction), (index) => {
      insert.run(index, Buffer.from(contradiction.auditor, 'hex'), 0, reason)
      return index
    })
  }

  function admissions(): Admission[] {
    return selectAll.all().map(({ entry_index, worker, address, admitted }) => ({
      entry: Number(entry_index),
      worker: { key: worker, address },
      isAdmitted: admitted === 1n,
    }))
  }

  function auditorsBelow(size: number) {
    const own = registry.find(operator)
    return auditorsAt(admissions(), { size, operator: own !== null && own.entryIndex < size ? own : null })
  }

  return {
    decide,
    contradict,
    admitted: () => admittedKeys(admissions()),
    candidatesOf(author, size) {
      const registered = registry.find(author)
      if (registered === null) throw new Error('whoever submits is registered')
      return auditorsOf(registered, { auditors: auditorsBelow(size), operator })
    },
    list() {
      const rows = selectAll.all()
      return auditorsBelow(books.log.size()).map(({ key, address }) => {
        const row = rows.findLast(({ worker }) => Buffer.compare(worker, key) === 0)
        return {
          auditor: Buffer.from(key).toString('hex'),
          address,
          entry: row === undefined ? null : Number(row.entry_index),
          reason: row?.reason ?? null,
          openRounds: Number(countOpen.get(key)),
        }
      })
    },
  }
}
