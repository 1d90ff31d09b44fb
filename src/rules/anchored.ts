import type { AnchorRecord } from '../../anchor/anchor-record.ts'

/** Where the log stands in the chain: which anchor first committed an entry, and whether that is final. */
export interface Anchored {
  /** The first mined anchor whose checkpoint covers the entry, or null. */
  first(entryIndex: number): MinedAnchor | null
  /** The same when it is final. */
  firstFinal(entryIndex: number): MinedAnchor | null
  /** Size of the log that the newest anchor mined at or below `height` commits to; 0 before the first. */
  sizeAt(height: number): number
}

export interface MinedAnchor {
  readonly index: number
  readonly height: number
  readonly size: number
  readonly final: boolean
}

/** A view of one moment: anchors in order of index, as judged at the present tip. */
export function anchoredView(
  anchors: readonly Pick<AnchorRecord, 'index' | 'height' | 'size' | 'state'>[],
): Anchored {
  const mined: MinedAnchor[] = []
  for (const { index, height, size, state } of anchors) {
    if (height !== null && (state === 'mined' || state === 'final')) {
      mined.push({ index, height, size, final: state === 'final' })
    }
  }

  function first(entryIndex: number): MinedAnchor | null {
    let low = 0
    let high = mined.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const anchor = mined[middle]
      if (anchor !== undefined && anchor.size > entryIndex) high = middle
      else low = middle + 1
    }
    return mined[low] ?? null
  }

  return {
    first,
    firstFinal(entryIndex) {
      const anchor = first(entryIndex)
      return anchor?.final === true ? anchor : null
    },
    sizeAt: (height) => mined.findLast((anchor) => anchor.height <= height)?.size ?? 0,
  }
}
