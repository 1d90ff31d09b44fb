import { parseHeader } from '../../anchor/block-header.ts'
import type { Coordinator, OpenHouse } from './coordinator.ts'

const ANCHORS_PER_PAGE = 50

/** Newest first, the next page before the last row's `index`. `firstEntry`: the first that no earlier anchor covers. */
export function listAnchors({ books }: Coordinator, { anchorer }: OpenHouse, before: number | null) {
  const mined = books.db
    .prepare<[], bigint | null>(
      `SELECT max(anchor_index) FROM anchor_attempt WHERE state IN ('mined', 'final')`,
    )
    .pluck()
    .get()
  const end = before ?? Number(mined ?? -1n) + 2
  // One more than shown: where the last row's own entries begin.
  const anchors = anchorer
    .anchors(Math.max(end - ANCHORS_PER_PAGE - 1, 0))
    .filter(({ index }) => index < end)
    .reverse()
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
