import type { MinedAnchor } from './replay-source.ts'

/** Where the log stands in the chain. */
export interface AnchoredLog {
  /** The first mined anchor that covers the entry, or null. */
  first(entry: number): MinedAnchor | null
  /** Size of the log under the newest anchor mined at or below `height`; 0 before the first. */
  sizeAt(height: number): number
}

/** @param anchors in order: sizes and heights never fall */
export function openAnchoredLog(anchors: readonly MinedAnchor[]): AnchoredLog {
  /** How many anchors from the beginning satisfy `isEarly`, which holds up to some anchor and no further. */
  function countEarly(isEarly: (anchor: MinedAnchor) => boolean): number {
    let low = 0
    let high = anchors.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const anchor = anchors[middle]
      if (anchor !== undefined && isEarly(anchor)) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    first: (entry) => anchors[countEarly(({ size }) => size <= entry)] ?? null,
    sizeAt: (height) => anchors[countEarly((anchor) => anchor.height <= height) - 1]?.size ?? 0,
  }
}
