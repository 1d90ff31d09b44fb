import { NO_SUSPICION, observe, type Standing, type Suspicion, standingOf, THRESHOLD } from './cusum.ts'
import type { Evidence } from './cusum-evidence.ts'
import { MAX_FAILS } from './max-fails.ts'

/** One verdict on a worker, pass or fail. */
export interface AuditedReceipt {
  /** Log index of the `verdict` entry. */
  entry: number
  /** Id, hex. */
  receipt: string
  /** `modelKey`. */
  model: string
  /** Keys, hex. */
  worker: string
  auditor: string
  verdict: 'pass' | 'fail'
  /** Of the model as defined in the epoch of the job. */
  evidence: Evidence
}

export type Fail = Pick<AuditedReceipt, 'entry' | 'receipt' | 'model'>

export interface WorkerRecord {
  readonly suspicion: Suspicion
  /** Since the worker was last beyond doubt, oldest first; the newest `MAX_FAILS`. */
  readonly fails: readonly Fail[]
}

/** What was so far observed, kept by the coordinator in its database and by an auditor in memory. */
export interface Standings {
  /** NO_RECORD before the first. */
  recordOf(worker: string): WorkerRecord
  setRecord(worker: string, record: WorkerRecord): void
  isFrozen(model: string): boolean
  freeze(model: string): void
  /** Lets the model go. @returns what was set aside meanwhile, in order */
  thaw(model: string): AuditedReceipt[]
  setAside(audit: AuditedReceipt): void
  noteAudit(audit: AuditedReceipt): void
  /** Whose last audit on the model stands at or after the entry. */
  auditedSince(model: string, entry: number): { worker: string; address: string }[]
  /** Keys with a fail on the model in their record, in their order. */
  failedOn(model: string): string[]
}

/** What has to be logged, in this order. */
export type StandingChange =
  | { subject: 'model'; model: string; workers: string[] }
  | { subject: 'worker'; worker: string; standing: Standing; record: WorkerRecord }

export const NO_RECORD: WorkerRecord = { suspicion: NO_SUSPICION, fails: [] }

/** Log entries within which audits count as made together: some hundred workers' verdicts. */
const TOGETHER_ENTRIES = 1_000

/**
 * A fault of the model, not of its workers, is taken for granted when somebody would be suspended while so many unrelated
 * workers, and at least half of all that were audited with them, are under more than this much suspicion for fails on the
 * model. Simulated over 300 sites of 4 to 30 workers: a fault in a tenth of the work freezes in 94 to 99 of 100 before anyone is
 * convicted; one cheat, or a fifth of all, in at most 3 of 100, and goes on to be convicted when the operator upholds it.
 */
const COMMON_WORKERS = 3
const COMMON_SUSPICION = THRESHOLD / 8n

/** Names a model in a subnet. @param digest 32 bytes, or those in hex */
export function modelKey(subnet: string, digest: Uint8Array | string): string {
  return `${subnet}/${typeof digest === 'string' ? digest : Buffer.from(digest).toString('hex')}`
}

/** What modelKey made. */
export function modelOf(key: string): { subnet: string; digest: Uint8Array } {
  const [subnet = '', digest = ''] = key.split('/')
  return { subnet, digest: Buffer.from(digest, 'hex') }
}

/** Observes the verdicts of one entry, in their order. @returns whose standing differs after it, and models that are frozen */
export function observeAudits(standings: Standings, audits: readonly AuditedReceipt[]): StandingChange[] {
  return changesOf(standings, audits, (audit) => {
    standings.noteAudit(audit)
    if (standings.isFrozen(audit.model)) {
      standings.setAside(audit)
      return null
    }
    const next = observed(standings.recordOf(audit.worker), audit)
    const isConvicted = standingOf(next.suspicion) === 'suspended' && !isSuspended(standings, audit.worker)
    const together = isConvicted ? failingTogether(standings, audit) : null
    if (together === null) {
      standings.setRecord(audit.worker, next)
      return null
    }
    standings.freeze(audit.model)
    standings.setAside(audit)
    return { subject: 'model', model: audit.model, workers: together }
  })
}

/**
 * Ends a freeze. `upheld`: what was set aside counts, in its order. `recalibrated`: it never was, and whoever has a fail on the
 * model in its record begins anew. A suspension stands either way: its money is forfeited.
 */
export function thawModel(
  standings: Standings,
  model: string,
  how: 'recalibrated' | 'upheld',
): StandingChange[] {
  const aside = standings.thaw(model)
  if (how === 'upheld') {
    return changesOf(standings, aside, (audit) => {
      standings.setRecord(audit.worker, observed(standings.recordOf(audit.worker), audit))
      return null
    })
  }
  const pardoned = standings.failedOn(model).filter((worker) => !isSuspended(standings, worker))
  return changesOf(
    standings,
    pardoned.map((worker) => ({ worker })),
    ({ worker }) => {
      standings.setRecord(worker, NO_RECORD)
      return null
    },
  )
}

export function isSuspended(standings: Pick<Standings, 'recordOf'>, worker: string): boolean {
  return standingOf(standings.recordOf(worker).suspicion) === 'suspended'
}

function changesOf<T extends { worker: string }>(
  standings: Standings,
  causes: readonly T[],
  apply: (cause: T) => StandingChange | null,
): StandingChange[] {
  const changes: StandingChange[] = []
  const before = new Map<string, Standing>()
  for (const cause of causes) {
    const { worker } = cause
    if (!before.has(worker)) before.set(worker, standingOf(standings.recordOf(worker).suspicion))
    const change = apply(cause)
    if (change !== null) changes.push(change)
  }
  for (const [worker, was] of before) {
    const record = standings.recordOf(worker)
    const standing = standingOf(record.suspicion)
    if (standing !== was) changes.push({ subject: 'worker', worker, standing, record })
  }
  return changes
}

export function observed(record: WorkerRecord, audit: AuditedReceipt): WorkerRecord {
  const suspicion = observe(record.suspicion, audit)
  if (suspicion === record.suspicion) return record
  if (suspicion.score === 0n) return NO_RECORD
  if (audit.verdict === 'pass') return { suspicion, fails: record.fails }
  const { entry, receipt, model } = audit
  return { suspicion, fails: [...record.fails, { entry, receipt, model }].slice(-MAX_FAILS) }
}

/** Keys of those who fail with this worker, its own among them, where their fault is likely one; null where it is its own. */
function failingTogether(
  standings: Standings,
  { entry, model, worker: convict }: AuditedReceipt,
): string[] | null {
  const audited = standings.auditedSince(model, entry - TOGETHER_ENTRIES)
  const failing = audited.filter(({ worker }) => {
    const { suspicion, fails } = standings.recordOf(worker)
    return (
      worker === convict ||
      (suspicion.score >= COMMON_SUSPICION && fails.some((fail) => fail.model === model))
    )
  })
  // Keys are free; who is paid at one address is one.
  const [all, some] = [audited, failing].map((list) => new Set(list.map(({ address }) => address)).size)
  if (all === undefined || some === undefined || some < COMMON_WORKERS || 2 * some < all) return null
  return failing.map(({ worker }) => worker).sort()
}
