import assert from 'node:assert/strict'
import { hex } from '../../compute/work/hex.ts'
import { taggedHash } from '../../compute/work/tagged-hash.ts'
import { type EpochRules, firstHeight } from './epoch.ts'
import { firstForSubject } from './rendezvous.ts'

interface Assignment {
  /** Hash of the block that draws, internal byte order. */
  beacon: Uint8Array
  subnet: string
  /** 32 bytes that name the model and the input together: each pair is worked once. */
  item: Uint8Array
  /** Keys that were in the log before the beacon's block: a key made afterwards could be ground to win. */
  workers: Uint8Array[]
}

/**
 * The worker that Bitcoin assigns an item to: the highest H(beacon ‖ subnet ‖ item ‖ worker), or null when there are
 * none. A worker that leaves moves only its own items. Of the four parts only `subnet` varies in length, so no two
 * assignments share a preimage.
 */
export function assignItem({ beacon, subnet, item, workers }: Assignment): Uint8Array | null {
  assert.equal(beacon.length, 32, 'a beacon has 32 bytes')
  assert.equal(item.length, 32, 'an item has 32 bytes')
  return firstForSubject(Buffer.concat([beacon, Buffer.from(subnet), item]), workers)
}

/** Settled epochs within which a key has to have earned from the budget by its items to be at work. */
export const EPOCHS_AT_WORK = 8

/**
 * Of so many items in a row one is for keys that are not at work. Keys cost nothing: however many never work, they take
 * no more from those that do, and a key that is new begins by such an item.
 */
const ITEMS_PER_NEWCOMER = 16

/** Who may be assigned items in an epoch. */
export interface Field {
  readonly atWork: Uint8Array[]
  readonly newcomers: Uint8Array[]
}

/** @param earners keys, hex, that earned by items in the last settled epochs */
export function fieldOf(keys: readonly Uint8Array[], earners: ReadonlySet<string>): Field {
  const { atWork = [], newcomers = [] } = Object.groupBy(keys, (key) =>
    earners.has(hex(key)) ? 'atWork' : 'newcomers',
  )
  return { atWork, newcomers }
}

/** The keys that an item is drawn among, by its number in the dataset; the beacon says which of 16 are the newcomers'. */
export function drawnAmong({ atWork, newcomers }: Field, beacon: Uint8Array, number: number): Uint8Array[] {
  if (atWork.length === 0) return newcomers
  if (newcomers.length === 0) return atWork
  const [offset = 0] = beacon
  return (number + offset) % ITEMS_PER_NEWCOMER === 0 ? newcomers : atWork
}

/**
 * Beacon of an epoch's assignments: a block that is final when the epoch starts. Who works on what, for the subsidy, is
 * Bitcoin's choice among the workers that an anchor had committed by then, not the operator's (DESIGN §8).
 */
export function assignmentHeight(epoch: number, rules: EpochRules): number {
  return firstHeight(epoch, rules) - rules.finalDepth
}

/** Names one piece of open work: a model and an input, each pair once. */
export function itemName(model: Uint8Array, inputDigest: Uint8Array): Uint8Array {
  return taggedHash('assay/item', model, inputDigest)
}
