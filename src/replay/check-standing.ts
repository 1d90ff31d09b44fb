import { hex } from '../../compute/work/hex.ts'
import { type Entry, encodeEntry, type StatusOf } from '../log/entry.ts'
import { forfeitEntry, statusEntry } from '../log/standing-entry.ts'
import {
  type AuditedReceipt,
  isSuspended,
  modelKey,
  NO_RECORD,
  observeAudits,
  type StandingChange,
  thawModel,
} from '../rules/standings.ts'
import { forfeitAccruals, releaseAccruals } from './release-accruals.ts'
import { latestTip, type ReplayState } from './replay-state.ts'
import { lastSuspension } from './suspensions.ts'

/** Observes the verdicts of an entry: what they bring about has to be the next entries of the log. */
export function observeAgain(state: ReplayState, audits: readonly AuditedReceipt[], index: number): void {
  expect(state, observeAudits(state.standings, audits), index)
}

/** Its money moves here; the entries that say so are compared when they come, and are written with the one at `index`. */
function expect(state: ReplayState, changes: readonly StandingChange[], index: number): void {
  const { expected, suspensions } = state
  for (const change of changes) {
    expected.push(statusEntry(change))
    if (change.subject === 'model' || change.standing !== 'suspended') continue
    const { worker, record } = change
    const status = index + expected.length
    suspensions.set(worker, [...(suspensions.get(worker) ?? []), { from: status, to: null }])
    const msat = forfeitAccruals(state, worker, 'all')
    if (msat > 0n) expected.push(forfeitEntry(worker, record, { status, msat }))
  }
  if (changes.length > 0) releaseAccruals(state)
}

/**
 * Compares an entry with what has to follow the one before.
 *
 * @returns whether that is all there is to say of it
 */
export function checkExpected(state: ReplayState, entry: Entry, index: number): boolean {
  const [next, ...rest] = state.expected
  const check = state.findings.at('standings', index)
  if (next !== undefined) {
    const isMeant = subjectOf(next) === subjectOf(entry)
    state.expected = isMeant ? rest : []
    check(isMeant, 'standing_missing', () => `expected ${described(next)}, found ${entry.kind}`)
    if (!isMeant) return false
    check(
      Buffer.compare(encodeEntry(next), encodeEntry(entry)) === 0,
      'standing_mismatch',
      () => `is ${described(entry)}, expected ${described(next)}`,
    )
    return true
  }
  return !check(
    !isConsequence(entry),
    'standing_unfounded',
    () => `${described(entry)}: no verdict brought it about`,
  )
}

/** A suspension ends at its height, and the worker begins anew. */
export function checkReturn(state: ReplayState, entry: StatusOf<'worker'>, index: number): void {
  const check = state.findings.at('standings', index)
  const worker = hex(entry.worker)
  const suspended = isSuspended(state.standings, worker)
  if (!check(suspended, 'return_unfounded', () => `${worker} is not suspended`)) return
  const due = returnHeight(state, worker)
  check(entry.height === due, 'height_mismatch', () => `returns at block ${entry.height}, recomputed ${due}`)
  const isDue = due !== null && latestTip(state, index) >= due
  check(isDue, 'returned_early', () => `the log held it before block ${due}`)
  check(
    entry.score === 0 && entry.evidence.length === 0,
    'standing_mismatch',
    () => `${worker} returns with a record`,
  )
  state.standings.setRecord(worker, NO_RECORD)
  const last = state.suspensions.get(worker)?.at(-1)
  if (last !== undefined) last.to = index
}

/** The operator's word ends a freeze, and what follows from it is the log's next entries. */
export function checkThaw(state: ReplayState, entry: StatusOf<'model'>, index: number): void {
  const { subnet, model, status } = entry
  if (status === 'frozen') return
  const key = modelKey(subnet, model)
  const check = state.findings.at('standings', index)
  if (!check(state.standings.isFrozen(key), 'model_not_frozen', () => `${key} is not frozen`)) return
  check(entry.workers.length === 0, 'standing_mismatch', () => 'names workers')
  expect(state, thawModel(state.standings, key, status), index)
  releaseAccruals(state)
}

/** The block from which a suspended worker may work again; null until its suspension is anchored. */
export function returnHeight(state: ReplayState, worker: string): number | null {
  const status = lastSuspension(state, worker)
  const anchor = status === null ? null : state.anchored.first(status)
  return anchor === null ? null : anchor.height + state.genesis.epoch.suspensionBlocks
}

/** Entries that only a verdict or a thaw brings about. */
function isConsequence(entry: Entry): boolean {
  if (entry.kind === 'forfeit') return true
  if (entry.kind !== 'status') return false
  return (
    entry.subject === 'contradiction' ||
    (entry.subject === 'worker' && entry.status !== 'returned') ||
    (entry.subject === 'model' && entry.status === 'frozen')
  )
}

function subjectOf(entry: Entry): string {
  return entry.kind === 'status' ? entry.subject : entry.kind
}

function described(entry: Entry): string {
  if (entry.kind === 'forfeit') return `forfeit of ${entry.msat} msat by ${hex(entry.worker)}`
  if (entry.kind !== 'status' || !('worker' in entry || 'model' in entry)) return entry.kind
  const subject = 'model' in entry ? `${entry.subnet}/${hex(entry.model)}` : hex(entry.worker)
  return `${entry.subject} ${subject} ${entry.status}`
}
