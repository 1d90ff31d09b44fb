import assert from 'node:assert/strict'
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
