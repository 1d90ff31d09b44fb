import { randomBytes } from 'node:crypto'
import { auditCommitment, signCommitments } from '../work/audit-commitment.ts'
import { bundleDigest } from '../work/tensor-bundle.ts'
import { publicKeyOf } from '../work/worker-key.ts'
import type { CoordinatorClient, LeasedAudit, Reveal } from './coordinator-client.ts'
import { CoordinatorError } from './coordinator-error.ts'
import { type Bench, executeJob, reasonOf } from './execute-job.ts'
import type { OnWorkerEvent } from './worker-event.ts'

/** Committed together in one log entry; the outputs of all are held until then. */
const MAX_AUDITS = 16
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
  const auditor = publicKeyOf(o.secretKey)

  async function lease(): Promise<LeasedAudit[]> {
    try {
      o.stop.throwIfAborted()
      return await o.client.leaseAudits(MAX_AUDITS, WAIT_MS, o.stop)
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
    await o.client.commit(commitments, signCommitments(commitments, o.origin, o.secretKey))
  }

  /** One by one: outputs may fill a body, and a round that is closed meanwhile must not take others with it. */
  async function reveal(one: Reveal): Promise<void> {
    const verdicts = await unlessClosed(o.client.reveal([one]))
    for (const { receipt, verdict } of verdicts ?? []) o.onEvent({ type: 'audited', receipt, verdict })
  }

  /** Null when the round was closed before the call: then there is nothing left to say about it. */
  async function unlessClosed<T>(call: Promise<T>): Promise<T | null> {
    try {
      return await call
    } catch (error) {
      if (!(error instanceof CoordinatorError) || error.code !== 'audit_not_open') throw error
      o.onEvent({ type: 'warning', code: error.code, detail: error.message })
      return null
    }
  }

  while (!o.stop.aborted) {
    const reveals: Reveal[] = []
    for (const audit of await lease()) reveals.push(await run(audit))
    if (reveals.length === 0) continue
    if ((await unlessClosed(commit(reveals).then(() => true))) === null) continue
    for (const one of reveals) await reveal(one)
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
