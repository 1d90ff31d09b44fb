import { setTimeout as sleep } from 'node:timers/promises'
import { hex } from '../work/hex.ts'
import { jobId } from '../work/job.ts'
import { alterOutputs } from './alter-outputs.ts'
import type { CoordinatorClient, LeasedJob } from './coordinator-client.ts'
import type { Delivery } from './delivery.ts'
import { type Bench, executeJob, reasonOf } from './execute-job.ts'
import type { OnWorkerEvent } from './worker-event.ts'

/** Of one lease. Another is asked for when no more than that is left to run, so that the device never waits for one. */
const MAX_JOBS = 64
/** Below the coordinator's 30 s, so that no proxy in between loses its patience first. */
const WAIT_MS = 20_000
const BACKLOG_POLL_MS = 1_000
/** A machine that can run nothing must not lease and release the same jobs in a loop. */
const FIRST_PAUSE_MS = 1_000
const MAX_PAUSE_MS = 60_000

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

  /** @param lease counts once, however many of its jobs fail together, as on a model that can't be fetched just then */
  async function run(leased: LeasedJob, lease: { hasFailed: boolean }): Promise<void> {
    const id = jobId(leased.job)
    const job = hex(id)
    try {
      const result = await executeJob(o.bench, leased)
      const outputs = Math.random() < o.cheatShare ? alterOutputs(result.outputs) : result.outputs
      o.delivery.add({ ...result, outputs, job: id })
      const { energy, profile, startedMs, finishedMs } = result
      o.onEvent({ type: 'ran', job, tookMs: finishedMs - startedMs, batch: profile.batch, ...energy })
      failuresInARow = 0
    } catch (error) {
      const reason = reasonOf(error)
      if (reason === null) throw error
      if (!lease.hasFailed) failuresInARow++
      lease.hasFailed = true
      o.onEvent({ type: 'failed', job, reason })
      await o.client.sendFailure(id, reason)
    }
  }

  const running = new Set<Promise<void>>()

  function begin(leased: LeasedJob, lease: { hasFailed: boolean }): void {
    const one = run(leased, lease)
      .catch((error) => failed.abort(error))
      .finally(() => running.delete(one))
    running.add(one)
  }

  while (!ended.aborted) {
    const jobs = await lease()
    const counted = { hasFailed: false }
    for (const leased of jobs) begin(leased, counted)
    while (running.size > MAX_JOBS && !failed.signal.aborted) await Promise.race(running)
  }
  // The first failure ends the worker, whatever else still runs.
  while (running.size > 0 && !failed.signal.aborted) await Promise.race(running)
  failed.signal.throwIfAborted()
}

function pauseMs(failures: number): number {
  return Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1))
}
