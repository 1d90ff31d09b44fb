import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { auditCommitment, signCommitments } from '../work/audit-commitment.ts'
import { hex } from '../work/hex.ts'
import { bundleDigest } from '../work/tensor-bundle.ts'
import { publicKeyOf } from '../work/worker-key.ts'
import type { CoordinatorClient, LeasedAudit, Reveal } from './coordinator-client.ts'
import { CoordinatorError } from './coordinator-error.ts'
import { type Bench, executeJob, reasonOf } from './execute-job.ts'
import type { OnWorkerEvent } from './worker-event.ts'

/** Leased together; those that are done in time are committed to in one log entry. */
const MAX_AUDITS = 16
/** A done audit waits no longer for the next ones: its round may close, and a crash loses its salt. */
const COMMIT_AFTER_MS = 2_000
const WAIT_MS = 20_000
/** The job's own deadline is long over; this one only ends what would never end. */
const RUN_LIMIT_MS = 300_000

/** Re-executes drawn receipts until `stop`: commits to the own outputs first, reveals them when that is logged. */
export async function auditLoop(o: {
  client: CoordinatorClient
  bench: Bench
  origin: string
  secretKey: Uint8Array
  stop: AbortSignal
  onEvent: OnWorkerEvent
}): Promise<void> {
  const { client } = o
  const auditor = publicKeyOf(o.secretKey)

  async function lease(): Promise<LeasedAudit[]> {
    try {
      o.stop.throwIfAborted()
      return await client.leaseAudits(MAX_AUDITS, WAIT_MS, o.stop)
    } catch (error) {
      if (o.stop.aborted) return []
      throw error
    }
  }

  /** Null outputs: the auditor abstains, since it could not run the job. */
  async function run(audit: LeasedAudit): Promise<Reveal> {
    const { receipt, round } = audit
    const salt = randomBytes(32)
    try {
      const { outputs } = await executeJob(o.bench, audit, Date.now() + RUN_LIMIT_MS)
      return { outputs, receipt, round, salt }
    } catch (error) {
      const reason = reasonOf(error)
      if (reason === null) throw error
      o.onEvent({ type: 'warning', code: 'audit_not_run', detail: `${hex(receipt)}: ${reason}` })
      return { outputs: null, receipt, round, salt }
    }
  }

  async function commit(reveals: readonly Reveal[]): Promise<void> {
    const commitments = reveals.map(({ outputs, receipt, round, salt }) => {
      // Abstention is committed to as well, to no bytes: every drawn audit has its commitment in the log.
      const outputDigest = bundleDigest(outputs ?? new Uint8Array())
      return { commitment: auditCommitment({ auditor, receipt, salt, outputDigest }), receipt, round }
    })
    await client.commit(commitments, signCommitments(commitments, o.origin, o.secretKey))
  }

  /** A closed round refuses the whole list: the others are committed to one by one then. */
  async function commitToOpen(reveals: readonly Reveal[]): Promise<void> {
    if ((await unlessClosed(commit(reveals))) !== 'closed' || reveals.length === 1) return
    for (const one of reveals) await unlessClosed(commit([one]))
  }

  async function settle(reveals: readonly Reveal[]): Promise<void> {
    await commitToOpen(reveals)
    // Outputs may fill a body, hence one by one. Those refused as well: when the answer to a commitment was lost, the
    // next attempt at it is refused, and only the reveal tells whether it stands.
    for (const one of reveals) {
      const verdicts = await unlessClosed(client.reveal([one]))
      if (verdicts === 'closed') {
        o.onEvent({ type: 'warning', code: 'audit_not_open', detail: `${hex(one.receipt)}: too late` })
      } else for (const { receipt, verdict } of verdicts) o.onEvent({ type: 'audited', receipt, verdict })
    }
  }

  async function runAll(audits: readonly LeasedAudit[]): Promise<void> {
    const done: Reveal[] = []
    let dueMs = Number.POSITIVE_INFINITY
    for (const audit of audits) {
      const running = run(audit)
      if (done.length > 0) {
        const restMs = Math.max(0, dueMs - performance.now())
        const due = sleep(restMs, true, { ref: false })
        if (await Promise.race([due, running.then(() => false)])) await settle(done.splice(0))
      }
      done.push(await running)
      if (done.length === 1) dueMs = performance.now() + COMMIT_AFTER_MS
    }
    if (done.length > 0) await settle(done)
  }

  while (!o.stop.aborted) await runAll(await lease())
}

/** `closed`: no round of ours waits for this, or it waits for what another process of this auditor committed to. */
async function unlessClosed<T>(call: Promise<T>): Promise<T | 'closed'> {
  try {
    return await call
  } catch (error) {
    const isClosed =
      error instanceof CoordinatorError && ['audit_not_open', 'commitment_mismatch'].includes(error.code)
    if (!isClosed) throw error
    return 'closed'
  }
}
