import { setTimeout as sleep } from 'node:timers/promises'
import { jobId } from '../work/job.ts'
import type { CoordinatorClient, LeasedJob } from './coordinator-client.ts'
import type { Delivery } from './delivery.ts'
import { type Bench, executeJob, reasonOf } from './execute-job.ts'
import type { OnWorkerEvent } from './worker-event.ts'

/** Two leases are held at once; a slow job holds up as many others. */
const MAX_JOBS = 64
/** Below the coordinator's 30 s, so that no proxy in between loses its patience first. */
const WAIT_MS = 20_000
/** Runs take turns, but the next one's checks and the last one's receipt need not wait for the device. */
const LANES = 2
const BACKLOG_POLL_MS = 1_000
/** A machine that can run nothing must not lease and release the same jobs in a loop. */
const FIRST_PAUSE_MS = 1_000
const MAX_PAUSE_MS = 60_000

/** Leases jobs and runs them until `stop`, the next lease under way while the last one runs; then runs what it holds. */
export async function workLoop(o: {
  client: CoordinatorClient
  bench: Bench
  delivery: Delivery
  stop: AbortSignal
  onEvent: OnWorkerEvent
}): Promise<void> {
  let failuresInARow = 0
  let lastReason: string | null = null

  async function lease(): Promise<LeasedJob[]> {
    try {
      if (failuresInARow > 0) await sleep(pauseMs(failuresInARow), undefined, { signal: o.stop })
      while (!o.delivery.hasRoom()) await sleep(BACKLOG_POLL_MS, undefined, { signal: o.stop })
      o.stop.throwIfAborted()
      const { jobs, reason } = await o.client.lease(MAX_JOBS, WAIT_MS, o.stop)
      // Said once, not at every poll.
      if (reason !== null && reason !== lastReason) o.onEvent({ type: 'idle', reason })
      lastReason = reason
      if (jobs.length > 0) o.onEvent({ type: 'leased', jobs: jobs.length })
      return jobs
    } catch (error) {
      if (o.stop.aborted) return []
      throw error
    }
  }

  async function run(leased: LeasedJob): Promise<void> {
    const id = jobId(leased.job)
    const job = Buffer.from(id).toString('hex')
    try {
      const result = await executeJob(o.bench, leased)
      o.delivery.add({ ...result, job: id })
      o.onEvent({ type: 'ran', job, tookMs: result.finishedMs - result.startedMs })
      failuresInARow = 0
    } catch (error) {
      const reason = reasonOf(error)
      if (reason === null) throw error
      failuresInARow++
      o.onEvent({ type: 'failed', job, reason })
      await o.client.sendFailure(id, reason)
    }
  }

  async function runAll(jobs: readonly LeasedJob[]): Promise<void> {
    const rest = jobs.values()
    const lane = async () => {
      for (const job of rest) await run(job)
    }
    await Promise.all(Array.from({ length: LANES }, lane))
  }

  let jobs = await lease()
  while (jobs.length > 0 || !o.stop.aborted) {
    ;[jobs] = await Promise.all([lease(), runAll(jobs)])
  }
}

function pauseMs(failures: number): number {
  return Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1))
}
