import type { CheckAcknowledgement } from './acknowledgement.ts'
import { createBell } from './bell.ts'
import type { CoordinatorClient } from './coordinator-client.ts'
import { createIntake } from './intake.ts'
import { createResultSender } from './result-sender.ts'
import type { FinishedRun, Spool } from './spool.ts'
import { createSpoolSync } from './spool-sync.ts'
import { createSubmitter } from './submitter.ts'
import type { OnWorkerEvent } from './worker-event.ts'

/** About a minute of small runs: work that can't be delivered soon should not be leased. */
const MAX_BACKLOG_RECEIPTS = 8_192
const MAX_BACKLOG_BYTES = 1024 * 1024 * 1024

/** Brings finished runs to the coordinator, off the runs' way: spooled, sent, signed, acknowledged. */
export interface Delivery {
  add(run: FinishedRun): void
  /** For what another lease may bring. */
  hasRoom(): boolean
  /** No run is added from now on: `run` ends when the spool is empty. */
  close(): void
  /** Into the spool with what is not there yet; `run` does so by itself, unless it has ended early. */
  flush(): void
  /** Throws ChainError, CoordinatorError, SpoolError; what is undelivered stays in the spool. */
  run(): Promise<void>
}

export function createDelivery(o: {
  client: CoordinatorClient
  spool: Spool
  origin: string
  secretKey: Uint8Array
  /** What it throws ends `run`. */
  checkAcknowledgement: CheckAcknowledgement
  /** Ends `run` at once, with its reason. */
  signal: AbortSignal
  onEvent: OnWorkerEvent
}): Delivery {
  const bell = createBell(o.signal)
  const sender = createResultSender({ ...o, bell })
  const sync = createSpoolSync({ spool: o.spool, bell })
  const intake = createIntake({
    spool: o.spool,
    bell,
    isSent: sender.isIdle,
    onSpooled(ids) {
      // Side by side: the requester does not wait for the disk, nor the disk for the line. The header that names them goes
      // out once it is sealed there.
      sender.send(ids)
      sync.ask()
    },
  })
  const submitter = createSubmitter({ ...o, sender, bell })
  let isClosing = false
  let isDone = false

  async function submitAll(): Promise<void> {
    await submitter.resume()
    await submitter.run(() => isClosing && intake.backlog().receipts === 0)
    isDone = true
    bell.ring()
  }

  return {
    add: intake.add,
    hasRoom() {
      const [fresh, spooled] = [intake.backlog(), o.spool.backlog()]
      const hasPlace = fresh.receipts + spooled.receipts < MAX_BACKLOG_RECEIPTS
      return hasPlace && fresh.bytes + spooled.bytes < MAX_BACKLOG_BYTES
    },
    close() {
      isClosing = true
      bell.ring()
    },
    flush: intake.flush,
    async run() {
      const done = () => isDone
      await Promise.all([intake.run(done), sender.run(done), sync.run(done), submitAll()])
    },
  }
}
