import type { Floats } from './tolerant-floats.ts'

/** A row's decision: the places of its `count` largest numbers. */
export interface TopBounds {
  count: number
  /** Of max(|number|, rms): numbers no further apart may change places between honest runs. */
  tie: number
}

/** Twice the largest difference, and what rounding may add to it. */
const SAFE_DIFFERENCES = 2.001

/**
 * The first row whose claimed decision is none that the own numbers allow, or null: each place chosen must hold an own number that
 * reaches the least of the own largest ones, or ties with it.
 */
export function decisionFault(
  claimed: Floats,
  own: Floats,
  rowLength: number,
  { count, tie }: TopBounds,
  { rms, largest }: { rms: number; largest: number },
): number | null {
  // Whatever claimed numbers choose lies no deeper below the own choice than twice the largest difference.
  if (SAFE_DIFFERENCES * largest <= tie * rms) return null
  const chosen = new Int32Array(Math.min(count, rowLength))
  // And the next one.
  const ownPlaces = new Int32Array(chosen.length + 1)
  for (let start = 0; start < own.length; start += rowLength) {
    // Whatever is chosen is among them where they are no more than wanted.
    if (findLargest(own, start, rowLength, ownPlaces) < ownPlaces.length) continue
    const least = own[ownPlaces[chosen.length - 1] ?? start] ?? Number.NaN
    const next = own[ownPlaces[chosen.length] ?? start] ?? Number.NaN
    // So far below that claimed numbers choose the same places.
    if (next < least - SAFE_DIFFERENCES * largest) continue
    const reached = least - tie * Math.max(Math.abs(least), rms)
    const choices = findLargest(claimed, start, rowLength, chosen)
    for (let choice = 0; choice < choices; choice++) {
      if ((own[chosen[choice] ?? start] ?? Number.NaN) < reached) return start / rowLength
    }
  }
  return null
}

/** Fills `places` with those of a row's largest numbers, largest first, and says how many there are: a NaN is never among them. */
function findLargest(values: Floats, start: number, rowLength: number, places: Int32Array): number {
  let found = 0
  // NaN, which nothing is below, until there are as many as wanted.
  let least = Number.NaN
  const end = start + rowLength
  for (let place = start; place < end; place++) {
    // Nearly all of a long row, in a loop of its own: half the time.
    while (place < end && (values[place] ?? 0) <= least) place++
    if (place === end) break
    const value = values[place] ?? Number.NaN
    if (Number.isNaN(value)) continue
    const isFull = found === places.length
    let at = isFull ? found - 1 : found
    for (; at > 0 && (values[places[at - 1] ?? start] ?? 0) < value; at--)
      places[at] = places[at - 1] ?? start
    places[at] = place
    if (!isFull) found++
    if (found === places.length) least = values[places[found - 1] ?? start] ?? Number.NaN
  }
  return found
}
