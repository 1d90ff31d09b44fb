import { hex } from '../../compute/work/hex.ts'
import {
  assignItem,
  assignmentHeight,
  drawnAmong,
  EPOCHS_AT_WORK,
  type Field,
  fieldOf,
  itemName,
} from '../rules/assignment.ts'
import type { OpenedReceipt } from './check-openings.ts'
import { placeOf, type ReplayedJob, type ReplayedReceipt, type ReplayState } from './replay-state.ts'
import { wasSuspended } from './suspensions.ts'

type Assigned = Pick<OpenedReceipt, 'item' | 'input'> & { readonly receipt: Pick<ReplayedReceipt, 'job'> }

/**
 * The open dataset's work went to whom the beacon of its epoch assigned it, among the keys anchored by then; it was the
 * next in the dataset's order, or the operator could look for items that come out as it likes; and each job is of one
 * item, or a friend's could be paid as many.
 */
export async function checkAssignment(state: ReplayState, opened: readonly Assigned[]): Promise<void> {
  const draws = new Map<number, EpochDraw>()
  const limits = new Map<string, number>()
  for (const { receipt, item, input } of opened) {
    if (item === null || input === null) continue
    const { job } = receipt
    const draw = draws.get(job.epoch) ?? (await drawEpoch(state, job.epoch))
    draws.set(job.epoch, draw)
    const place = `${job.epoch}/${placeOf(job)}`
    const limit = limits.get(place) ?? itemLimit(state, job)
    limits.set(place, limit)

    const check = state.findings.at('assignment', job.entry)
    const assignee = assigneeOf(job, { item, input }, draw)
    check(
      assignee === job.worker,
      'not_assigned',
      () => `item ${item} of ${job.subnet} is ${assignee}'s in epoch ${job.epoch}, not ${job.worker}'s`,
    )
    check(
      item < limit,
      'item_out_of_turn',
      () => `item ${item} of ${job.subnet} in epoch ${job.epoch}, those below ${limit} come first`,
    )
    check(job.items === 1, 'item_count', () => `item ${item} of ${job.subnet} counts as ${job.items}`)
  }
}

interface EpochDraw {
  readonly beacon: Uint8Array | null
  readonly field: Field
}

async function drawEpoch(state: ReplayState, epoch: number): Promise<EpochDraw> {
  const { anchored, earners, genesis, rules, source } = state
  const height = assignmentHeight(epoch, rules)
  const size = anchored.sizeAt(height)
  // The operator's auditor rechecks work; it takes none.
  const keys = keysAt(state, size).filter(
    (key) => Buffer.compare(key, genesis.auditor) !== 0 && !wasSuspended(state, hex(key), size),
  )
  const settled = earners.filter(({ entry }) => entry < size).slice(-EPOCHS_AT_WORK)
  return {
    beacon: await source.chain.blockHash(height),
    field: fieldOf(keys, new Set(settled.flatMap(({ workers }) => workers))),
  }
}

/** Key, hex. */
function assigneeOf(
  { subnet, model }: ReplayedJob,
  { item, input }: { item: number; input: Uint8Array },
  { beacon, field }: EpochDraw,
): string {
  if (beacon === null) return 'nobody'
  const workers = drawnAmong(field, beacon, item)
  const assignee = assignItem({ beacon, subnet, item: itemName(model, input), workers })
  return assignee === null ? 'nobody' : hex(assignee)
}

/**
 * An epoch puts up the first open items of the dataset, for the models in force. Which were not open is told by receipts;
 * for leases that were never answered nobody knows the item, so each may stand for one.
 */
function itemLimit({ answered, jobs, markets }: ReplayState, job: ReplayedJob): number {
  const place = placeOf(job)
  const offer = markets.subnetsAt(job.epoch).find(({ name }) => name === job.subnet)
  const isOffered = offer?.models.some(({ digest }) => Buffer.compare(digest, job.model) === 0)
  if (!isOffered || !offer?.dataset) return 0
  let closed = answered.get(place)?.size ?? 0
  for (const other of jobs.values()) {
    if (other.epoch < job.epoch && placeOf(other) === place) closed += 1
  }
  return offer.dataset.perEpoch + closed
}

/** Keys registered among the first `size` entries. */
function keysAt(state: ReplayState, size: number): Uint8Array[] {
  const keys: Uint8Array[] = []
  for (const { key, entry } of state.workers.values()) {
    if (entry >= size) break
    keys.push(key)
  }
  return keys
}
