import { hex } from '../../compute/work/hex.ts'
import { drawnAmong, EPOCHS_AT_WORK, fieldOf } from '../rules/assignment.ts'
import { named, OTHERS, RECEIPTS_PER_EPOCH } from './setting.ts'

interface DrawnKey {
  /** 32 bytes. */
  readonly id: Uint8Array
  /** The last epoch that paid it; null before the first. */
  readonly earnedEpoch: number | null
}

/** As many as all workers answer. */
export const ITEMS = (Number(OTHERS) + 1) * RECEIPTS_PER_EPOCH
const OTHER_KEYS = Array.from({ length: Number(OTHERS) }, (_, at) => named(`other ${at}`))

/** How many of an epoch's items the product's rule draws for a key, on average, beside keys of the player's own and the others'. */
export function drawnItems(
  keys: readonly DrawnKey[],
  { epoch, beacon }: { epoch: number; beacon: Uint8Array },
): (key: DrawnKey) => number {
  const working = keys.filter(
    ({ earnedEpoch }) => earnedEpoch !== null && earnedEpoch >= epoch - EPOCHS_AT_WORK,
  )
  const earners = [...(epoch > 0 ? OTHER_KEYS : []), ...working.map(({ id }) => id)]
  const field = fieldOf([...OTHER_KEYS, ...keys.map(({ id }) => id)], new Set(earners.map(hex)))
  const newcomers = new Set(field.newcomers)
  let items = 0
  for (let item = 0; item < ITEMS; item += 1)
    if (drawnAmong(field, beacon, item) === field.newcomers) items += 1
  const [ofNewcomer, ofAtWork] = [items / newcomers.size, (ITEMS - items) / field.atWork.length].map(
    Math.floor,
  )
  return ({ id }) => (newcomers.has(id) ? ofNewcomer : ofAtWork) ?? 0
}
