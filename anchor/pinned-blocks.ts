import type { Node } from './node.ts'
import { NodeError } from './node-error.ts'

/** A block that must be in the best chain: what tells apart chains with the same genesis block. */
export interface PinnedBlock {
  height: number
  /** Hex as bitcoind shows it. */
  hash: string
}

/**
 * Whether the node has every pinned block; false while it still syncs below one, so that nothing it says may be
 * used yet. Throws NodeError `pin_missing` where another block stands in a pinned one's place.
 */
export async function assertPinned(node: Node, pins: readonly PinnedBlock[]): Promise<boolean> {
  for (const { height, hash } of pins.toSorted((a, b) => a.height - b.height)) {
    const present = await node.blockHash(height)
    if (present === null) return false
    if (present !== hash) {
      throw new NodeError(
        'pin_missing',
        `block ${height} is ${present}, not the pinned ${hash}: this node follows another chain`,
      )
    }
  }
  return true
}
