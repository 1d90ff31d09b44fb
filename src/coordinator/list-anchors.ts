import { parseHeader } from '../../anchor/block-header.ts'
import type { OpenHouse } from './coordinator.ts'

const ANCHORS_PER_PAGE = 50

/** Newest first, the next page before the last row's `index`. `firstEntry`: the first that no earlier anchor covers. */
export function listAnchors({ anchorer }: OpenHouse, before: number | null) {
  const end = before ?? anchorer.count()
  // One more than shown: where the last row's own entries begin.
  const anchors = anchorer.anchors(Math.max(end - ANCHORS_PER_PAGE - 1, 0), end).reverse()
  return anchors.slice(0, ANCHORS_PER_PAGE).map((anchor, row) => {
    const { index, state, size, txid, vsize, feeSats, height, blockHash, header } = anchor
    return {
      index,
      state,
      firstEntry: anchors[row + 1]?.size ?? 0,
      size,
      txid,
      vsize,
      feeSats,
      height,
      blockHash,
      blockTimeUnix: header === null ? null : parseHeader(header).time,
    }
  })
}
