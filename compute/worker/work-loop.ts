import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { MeteredResult } from '../runtime/run-metered.ts'
import { hex } from '../work/hex.ts'
import { jobId } from '../work/job.ts'
import { alterOutputs } from './alter-outputs.ts'
import { createBell } from './bell.ts'
import type { CoordinatorClient, LeasedJob } from './coordinator-client.ts'
import type { Delivery } from './delivery.ts'
import { type Bench, executeJob, reasonOf } from './execute-job.ts'
import type { OnWorkerEvent, WorkerEvent } from './worker-event.ts'

/** Of one lease. Another is asked for when no more than that is left to run, so that the device never waits for one. */
const MAX_JOBS = 64
/** Below the coordinator's 30 s, so that no proxy in between loses its patience first. */
const WAIT_MS = 20_000
const BACKLOG_POLL_MS = 1_000
/** A machine that can run nothing must not lease and release the same jobs in a loop. */
const FIRST_PAUSE_MS = 1_000
const MAX_PAUSE_MS = 60_000

type Ran = Pick<MeteredResult, 'startedMs' | 'finishedMs' | 'energy'>

/** What has come of a lease so far. */
interface Lease {
  left: number
  hasFailed: boolean
  readonly ran: Ran[]
}

/**
 * Leases jobs and hands them to the runners until `stop`, the next lease under way while the last one runs; then waits for what
 * it holds. All of it lies with the runners at once: what is there together may run together.
 */
export async function workLoop(o: {
  client: CoordinatorClient
  bench: Bench
  delivery: Delivery
  cheatShare: number
  stop: AbortSignal
  onEvent: OnWorkerEvent
}): Promise<void> {
  // A signal and no promise to race with: each race would leave its outcome, a lease with its inputs, with a promise that lives as long as the worker.
  const failed = new AbortController()
  const ended = AbortSignal.any([o.stop, failed.signal])
  const bell = createBell(failed.signal)
  let running = 0
  let failuresInARow = 0
  let lastReason: string | null = null

  async function lease(): Promise<LeasedJob[]> {
    try {
      if (failuresInARow > 0) await sleep(pauseMs(failuresInARow), undefined, { signal: ended })
      while (!o.delivery.hasRoom()) await sleep(BACKLOG_POLL_MS, undefined, { signal: ended })
      ended.throwIfAborted()
      const { jobs, reason } = await o.client.lease(MAX_JOBS, WAIT_MS, ended)
      // Said once, not at every poll.
      if (reason !== null && reason !== lastReason) o.onEvent({ type: 'idle', reason })
      lastReason = reason
      if (jobs.length > 0) o.onEvent({ type: 'leased', jobs: jobs.length })
      return jobs
    } catch (error) {
      if (ended.aborted) return []
      throw error
    }
  }

  async function run(leased: LeasedJob, lease: Lease): Promise<void> {
    const job = jobId(leased.job)
    try {
      const result = await executeJob(o.bench, leased)
      const outputs = Math.random() < o.cheatShare ? alterOutputs(result.outputs) : result.outputs
      o.delivery.add({ ...result, outputs, job })
      const { startedMs, finishedMs, energy } = result
      lease.ran.push({ startedMs, finishedMs, energy })
      failuresInARow = 0
    } catch (error) {
      const reason = reasonOf(error)
      if (reason === null) throw error
      // A lease counts once, however many of its jobs fail together, as on a model that can't be fetched just then.
      if (!lease.hasFailed) failuresInARow++
      lease.hasFailed = true
      o.onEvent({ type: 'failed', job: hex(job), reason })
      await o.client.sendFailure(job, reason)
    }
    lease.left -= 1
    if (lease.left === 0 && lease.ran.length > 0) o.onEvent(sumOf(lease.ran))
    running -= 1
    bell.ring()
  }

  while (!ended.aborted) {
    const jobs = await lease()
    const leased: Lease = { left: jobs.length, hasFailed: false, ran: [] }
    running += jobs.length
    for (const job of jobs) run(job, leased).catch((error) => failed.abort(error))
    // To the runners with them first: somebody waits for each, and the next lease has time.
    await nextTurn()
    while (running > MAX_JOBS) await bell.wait()
  }
  // The first failure ends the worker, whatever else still runs.
  while (running > 0) await bell.wait()
  failed.signal.throwIfAborted()
}

function sumOf(ran: readonly Ran[]): WorkerEvent {
  const startedMs = Math.min(...ran.map((one) => one.startedMs))
  const finishedMs = Math.max(...ran.map((one) => one.finishedMs))
  const millijoules = ran.reduce<number | null>(
    (sum, { energy }) => (sum === null || energy.millijoules === null ? null : sum + energy.millijoules),
    0,
  )
  const methods = [...new Set(ran.map(({ energy }) => energy.method))]
  return { type: 'ran', jobs: ran.length, tookMs: finishedMs - startedMs, methods, millijoules }
}

function pauseMs(failures: number): number {
  return Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1))
}
