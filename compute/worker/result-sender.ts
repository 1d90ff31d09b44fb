import assert from 'node:assert/strict'
import { hex } from '../work/hex.ts'
import { receiptId } from '../work/receipt.ts'
import type { Bell } from './bell.ts'
import type { CoordinatorClient } from './coordinator-client.ts'
import type { Spool, SpooledResult } from './spool.ts'
import type { OnWorkerEvent } from './worker-event.ts'

/** The coordinator's limit on one request. */
const MAX_RESULTS = 256
/** Half of what a body may hold; a larger result goes alone. */
const MAX_OUTPUT_BYTES = 32 * 1024 * 1024
/** Hands spooled results to the coordinator at once: requesters wait for them. */
export interface ResultSender {
  /** Sends these rows of the spool (again). */
  send(ids: readonly number[]): void
  /** None of these rows waits to be sent. */
  isSent(ids: readonly number[]): boolean
  isIdle(): boolean
  /** Until `isDone()` at a ring of the bell. Throws CoordinatorError. */
  run(isDone: () => boolean): Promise<void>
}

export function createResultSender(o: {
  client: CoordinatorClient
  spool: Spool
  bell: Bell
  onEvent: OnWorkerEvent
}): ResultSender {
  const { client, spool, bell } = o
  // What an earlier process left is sent again: it can't know what arrived, and the coordinator takes it twice.
  const unsent = new Set(spool.ids())

  function takeSome(): SpooledResult[] {
    const results: SpooledResult[] = []
    let bytes = 0
    for (const id of unsent) {
      const result = spool.result(id)
      assert(result !== null)
      bytes += result.outputs.length
      if (results.length === MAX_RESULTS || (bytes > MAX_OUTPUT_BYTES && results.length > 0)) break
      results.push(result)
    }
    return results
  }

  async function sendSome(): Promise<void> {
    const sent = takeSome()
    const refusals = await client.sendResults(
      sent.map(({ outputs, receipt, salt }) => ({ outputs, receipt, salt })),
    )
    for (const { id } of sent) unsent.delete(id)
    const idsByReceipt = new Map(sent.map(({ id, receipt }) => [hex(receiptId(receipt)), id]))
    for (const refusal of refusals) {
      const id = idsByReceipt.get(refusal.receipt)
      if (id === undefined) continue
      o.onEvent({ type: 'refused', ...refusal })
      for (const moved of spool.drop(id)) unsent.add(moved)
      unsent.delete(id)
    }
    bell.ring()
  }

  return {
    send(ids) {
      for (const id of ids) unsent.add(id)
      bell.ring()
    },
    isSent: (ids) => ids.every((id) => !unsent.has(id)),
    isIdle: () => unsent.size === 0,
    async run(isDone) {
      // While one request is under way, the results for the next one gather.
      while (!isDone()) await (unsent.size === 0 ? bell.wait() : sendSome())
    },
  }
}
