import { hex } from '../../compute/work/hex.ts'
import { jobId, parseJob } from '../../compute/work/job.ts'
import { treeRoot } from '../../compute/work/receipt-tree.ts'
import type { EntryOf } from '../log/entry.ts'
import { epochOf } from '../rules/epoch.ts'
import { isSuspended } from '../rules/standings.ts'
import { readable } from './findings.ts'
import { readByteStrings } from './read-blob.ts'
import { latestTip, type ReplayState } from './replay-state.ts'

/** Jobs are logged whole before they are leased: which worker has which, and under which epoch's beacon. */
export async function checkJobs(state: ReplayState, entry: EntryOf<'jobs'>, index: number): Promise<void> {
  const { findings, markets, rules } = state
  const check = findings.at('jobs', index)
  const worker = hex(entry.worker)
  check(state.workers.has(worker), 'worker_unknown', () => `${worker} is not registered`)
  const isFree = !isSuspended(state.standings, worker)
  check(isFree, 'worker_suspended', () => `${worker} is suspended`)
  const from = epochOf(state.knownHeight, rules) ?? 0
  const to = epochOf(latestTip(state, index) + 1, rules) ?? -1
  check(
    entry.epoch >= from && entry.epoch <= to,
    'epoch_mismatch',
    () => `says epoch ${entry.epoch}, logged in ${from} to ${to}`,
  )

  const list = await readByteStrings(state, check, entry.jobs, 'job list')
  if (list === null) return
  const { count, root } = entry
  check(list.length === count, 'count_mismatch', () => `lists ${list.length} jobs, not ${count}`)
  const ids = list.map(jobId)
  check(
    ids.length > 0 && Buffer.compare(treeRoot(ids), root) === 0,
    'root_mismatch',
    () => 'the jobs do not lead to the root',
  )
  for (const [i, bytes] of list.entries()) {
    const id = ids[i]
    const job = readable(check, () => parseJob(bytes))
    if (id === undefined || job === null) continue
    const known = markets.model(job.subnet, job.model, entry.epoch)
    check(known !== null, 'model_unknown', () => `${job.subnet} has no model ${hex(job.model)}`)
    const name = hex(id)
    const isNew = !state.jobs.has(name)
    if (!check(isNew, 'job_repeated', () => `job ${name} is logged already`) || known === null) continue
    state.jobs.set(name, {
      hex: name,
      entry: index,
      worker,
      epoch: entry.epoch,
      leasedMs: entry.leasedMs,
      subnet: known.subnet.name,
      model: known.model.digest,
      input: hex(job.input),
      origin: hex(job.origin),
      items: job.items,
      units: BigInt(job.items) * BigInt(known.model.unitsPerItem),
      isSubmitted: false,
      isRefunded: false,
    })
  }
}
