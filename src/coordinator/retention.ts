import { setImmediate } from 'node:timers/promises'
import { hex } from '../../compute/work/hex.ts'
import type { EpochRules } from '../rules/epoch.ts'
import { newestReleased } from '../rules/retention.ts'
import type { Books } from './books.ts'

export interface Retention {
  /** Removes bundles that are past their retention, as many as one round may. @returns how many */
  collectDue(tip: number): Promise<number>
  /** Inputs and outputs: those that are held, and those that were collected since the log began. */
  sums(): { heldBytes: number; collectedBytes: number }
}

/** A few ms of the thread that answers HTTP. */
const BLOBS_PER_BATCH = 500
/** A round has other things to do; the next one goes on. */
const BATCHES_PER_ROUND = 200

export function openRetention({ db, blobs }: Books, rules: EpochRules): Retention {
  const selectDue = db
    .prepare<[number, number], Uint8Array>(
      'SELECT digest FROM held_blob WHERE epoch <= ? ORDER BY epoch LIMIT ?',
    )
    .pluck()
  const remove = db.prepare('DELETE FROM held_blob WHERE digest = ?')
  const selectSums = db.prepare<[], { held: bigint; collected: bigint }>(
    'SELECT held, collected FROM held_sum',
  )
  const forget = db.transaction((digests: readonly Uint8Array[]) => {
    for (const digest of digests) remove.run(digest)
  })

  return {
    async collectDue(tip) {
      const epoch = newestReleased(tip, rules)
      let collected = 0
      for (let batch = 0; epoch !== null && batch < BATCHES_PER_ROUND; batch += 1) {
        const due = selectDue.all(epoch, BLOBS_PER_BATCH)
        if (due.length === 0) break
        // Bytes first: a crash in between leaves rows whose bytes are gone, which the next round forgets; never bytes that nobody knows of.
        blobs.remove(due.map(hex))
        forget.immediate(due)
        collected += due.length
        await setImmediate()
      }
      return collected
    },
    sums() {
      const { held = 0n, collected = 0n } = selectSums.get() ?? {}
      return { heldBytes: Number(held), collectedBytes: Number(collected) }
    },
  }
}
