import { assignmentHeight, itemName } from '../coordinator/assignments.ts'
import { assignItem } from '../rules/assignment.ts'
import type { OpenedReceipt } from './check-openings.ts'
import { hex } from './read-blob.ts'
import { keysAt, type ReplayState } from './replay-state.ts'

/** The open dataset's work went to whom the beacon of its epoch assigned it, among the keys anchored by then. */
export async function checkAssignment(state: ReplayState, opened: readonly OpenedReceipt[]): Promise<void> {
  const drawn = new Map<number, { beacon: Uint8Array | null; workers: Uint8Array[] }>()
  for (const { receipt, item, input } of opened) {
    if (item === null || input === null) continue
    const { job } = receipt
    const draw = drawn.get(job.epoch) ?? (await drawEpoch(state, job.epoch))
    drawn.set(job.epoch, draw)
    const { beacon, workers } = draw
    const assignee =
      beacon === null
        ? null
        : assignItem({ beacon, subnet: job.subnet, item: itemName(job.model, input), workers })
    state.findings.at('assignment', job.entry)(
      assignee !== null && hex(assignee) === job.worker,
      'not_assigned',
      () =>
        `item ${item} of ${job.subnet} is ${assignee === null ? "nobody's" : hex(assignee)} in epoch ${job.epoch}, not ${job.worker}'s`,
    )
  }
}

async function drawEpoch(state: ReplayState, epoch: number) {
  const { anchored, genesis, rules, source } = state
  const height = assignmentHeight(epoch, rules)
  return {
    beacon: await source.chain.blockHash(height),
    // The operator's auditor rechecks work; it takes none.
    workers: keysAt(state, anchored.sizeAt(height)).filter(
      (key) => Buffer.compare(key, genesis.auditor) !== 0,
    ),
  }
}
