import type { Contradiction } from '../rules/canaries.ts'
import { type Fail, modelOf, type StandingChange, type WorkerRecord } from '../rules/standings.ts'
import { type EntryOf, MAX_FROZEN_WORKERS, type StatusOf } from './entry.ts'

/** The `status` entry that says of a change what it is: written by the coordinator, expected by whoever replays. */
export function statusEntry(change: StandingChange): EntryOf<'status'> {
  if (change.subject === 'worker') {
    const { worker, standing: status, record } = change
    return workerStatus(worker, status, record, null)
  }
  const { subnet, digest: model } = modelOf(change.model)
  const workers = change.workers.slice(0, MAX_FROZEN_WORKERS).map(keyOf)
  return { v: 1, kind: 'status', subject: 'model', subnet, model, status: 'frozen', workers }
}

/** A worker's record as the log shows it. @param height of return */
export function workerStatus(
  worker: string,
  status: StatusOf<'worker'>['status'],
  { suspicion, fails }: WorkerRecord,
  height: number | null,
): StatusOf<'worker'> {
  return {
    v: 1,
    kind: 'status',
    subject: 'worker',
    worker: keyOf(worker),
    status,
    score: Number(suspicion.score),
    evidence: evidenceIn(fails),
    height,
  }
}

/** The `status` entry that withdraws an auditor: written by the coordinator, expected by whoever replays. */
export function contradictionEntry({ auditor, record }: Contradiction): StatusOf<'contradiction'> {
  const evidence = evidenceIn(record.fails)
  return {
    v: 1,
    kind: 'status',
    subject: 'contradiction',
    worker: keyOf(auditor),
    status: 'withdrawn',
    evidence,
  }
}

/** @param status index of the entry that suspended the worker, or withdrew the auditor */
export function forfeitEntry(
  worker: string,
  { fails }: WorkerRecord,
  { status, msat }: { status: number; msat: bigint },
): EntryOf<'forfeit'> {
  return { v: 1, kind: 'forfeit', worker: keyOf(worker), status, msat, evidence: evidenceIn(fails) }
}

function evidenceIn(fails: readonly Fail[]) {
  return fails.map(({ entry, receipt }) => ({ entry, receipt: keyOf(receipt) }))
}

function keyOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}
