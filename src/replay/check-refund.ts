import { hex } from '../../compute/work/hex.ts'
import type { EntryOf } from '../log/entry.ts'
import { readByteStrings } from './read-blob.ts'
import type { ReplayState } from './replay-state.ts'

/** Jobs that bought nothing: none of them had been submitted, and each is refunded once. */
export async function checkRefund(
  state: ReplayState,
  entry: EntryOf<'refund'>,
  index: number,
): Promise<void> {
  const check = state.findings.at('refunds', index)
  const jobs = await readByteStrings(state, check, entry.jobs, 'refunded jobs')
  if (jobs === null) return
  check(jobs.length === entry.count, 'count_mismatch', () => `lists ${jobs.length} jobs, not ${entry.count}`)
  for (const id of jobs) {
    const job = state.jobs.get(hex(id))
    check(job !== undefined, 'job_unknown', () => `no job ${hex(id)} is open`)
    if (job === undefined) continue
    check(
      !job.isSubmitted,
      'refund_late',
      () => `job ${hex(id)} has a receipt in the log, which is to be paid`,
    )
    check(!job.isRefunded, 'refund_repeated', () => `job ${hex(id)} is refunded already`)
    job.isRefunded = !job.isSubmitted
  }
}
