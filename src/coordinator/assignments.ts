import { setImmediate } from 'node:timers/promises'
import { hex } from '../../compute/work/hex.ts'
import type { Anchored } from '../rules/anchored.ts'
import {
  assignItem,
  assignmentHeight,
  drawnAmong,
  EPOCHS_AT_WORK,
  fieldOf,
  itemName,
} from '../rules/assignment.ts'
import type { EpochRules } from '../rules/epoch.ts'
import { epochOf } from '../rules/epoch.ts'
import { AUDIT } from '../rules/maturing.ts'
import type { Books } from './books.ts'
import type { Market } from './market.ts'
import type { Registry } from './registry.ts'

export interface Assignments {
  /** Puts the open items of every dataset up for the epoch of the next block, once. @returns items assigned. */
  assignDue(
    tip: number,
    anchored: Anchored,
    blockHash: (height: number) => Promise<Uint8Array>,
  ): Promise<number>
}

interface ItemRow {
  model: Uint8Array
  item: bigint
  input: Uint8Array
}

export function openAssignments(
  books: Books,
  parts: { market: Market; registry: Registry; rules: EpochRules; auditor: Uint8Array },
): Assignments {
  const { db } = books
  const selectAssigned = db.prepare<[number], bigint>('SELECT assigned FROM epoch WHERE number = ?').pluck()
  const setAssigned = db.prepare(
    'INSERT INTO epoch (number, assigned) VALUES (?, 1) ON CONFLICT (number) DO UPDATE SET assigned = 1',
  )
  const selectOpen = db.prepare<[string, Uint8Array, number], ItemRow>(
    `SELECT model, item, input FROM item WHERE subnet = ? AND model = ? AND state = 'open' ORDER BY item LIMIT ?`,
  )
  // Answered and never submitted: its worker had the whole epoch after to hand it in.
  const reclaim = db.prepare(
    `UPDATE item SET state = 'open' WHERE state = 'leased' AND epoch < ? AND NOT EXISTS
       (SELECT 1 FROM job WHERE job.subnet = item.subnet AND job.model = item.model AND job.item = item.item
                            AND job.state = 'leased')`,
  )
  const assign = db.prepare(
    `UPDATE item SET epoch = ?, assignee = ? WHERE subnet = ? AND model = ? AND item = ? AND state = 'open'`,
  )

  const selectSuspended = db
    .prepare<{ size: number }, Uint8Array>(
      `SELECT worker FROM suspension WHERE status_entry < @size
          AND (returned_entry IS NULL OR returned_entry >= @size)`,
    )
    .pluck()
  const selectEarners = db
    .prepare<[string, number, number], Uint8Array>(
      `SELECT DISTINCT worker FROM accrual WHERE subnet <> ? AND epoch IN
         (SELECT number FROM epoch WHERE settled_entry < ? ORDER BY number DESC LIMIT ?)`,
    )
    .pluck()

  async function assignDue(
    tip: number,
    anchored: Anchored,
    blockHash: (height: number) => Promise<Uint8Array>,
  ): Promise<number> {
    const epoch = epochOf(tip + 1, parts.rules)
    if (epoch === null || selectAssigned.get(epoch) === 1n) return 0
    const height = assignmentHeight(epoch, parts.rules)
    const beacon = await blockHash(height)
    const size = anchored.sizeAt(height)
    const suspended = new Set(selectSuspended.all({ size }).map(hex))
    const keys = parts.registry
      .keysAt(size)
      // The operator's auditor rechecks work; it takes none.
      .filter((key) => Buffer.compare(key, parts.auditor) !== 0)
      .filter((key) => !suspended.has(hex(key)))
    const field = fieldOf(keys, new Set(selectEarners.all(AUDIT, size, EPOCHS_AT_WORK).map(hex)))
    reclaim.run(epoch - 1)
    const assigned: { subnet: string; row: ItemRow; assignee: Uint8Array | null }[] = []
    for (const { name: subnet, dataset, models } of parts.market.subnetsAt(epoch)) {
      if (dataset === null) continue
      for (const model of models) {
        for (const row of selectOpen.all(subnet, model.digest, dataset.perEpoch)) {
          const item = itemName(row.model, row.input)
          const workers = drawnAmong(field, beacon, Number(row.item))
          assigned.push({ subnet, row, assignee: assignItem({ beacon, subnet, item, workers }) })
          // A tenth of a second where 100,000 keys are drawn among: whoever asks meanwhile is answered.
          await setImmediate()
        }
      }
    }
    return db
      .transaction(() => {
        let count = 0
        for (const { subnet, row, assignee } of assigned) {
          const { changes } = assign.run(epoch, assignee, subnet, row.model, row.item)
          count += assignee === null ? 0 : changes
        }
        setAssigned.run(epoch)
        return count
      })
      .immediate()
  }

  return { assignDue }
}
