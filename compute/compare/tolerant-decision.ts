import type { Floats } from './tolerant-floats.ts'

/** A row's decision: the places of its `count` largest numbers. */
export interface TopBounds {
  count: number
  /** Of max(|number|, rms): numbers no further apart may change places between honest runs. */
  tie: number
}

/**
 * The first row whose claimed decision is none that the own numbers allow, or null: each place chosen must hold an own number that
 * reaches the least of the own largest ones, or ties with it.
 */
export function decisionFault(
  claimed: Floats,
  own: Floats,
  rowLength: number,
  { count, tie }: TopBounds,
  rms: number,
): number | null {
  for (let start = 0; start < own.length; start += rowLength) {
    const ownRow = own.subarray(start, start + rowLength)
    const least = ownRow[largestPlaces(ownRow, count).at(-1) ?? 0] ?? Number.NaN
    const reached = least - tie * Math.max(Math.abs(least), rms)
    const chosen = largestPlaces(claimed.subarray(start, start + rowLength), count)
    if (chosen.some((place) => (ownRow[place] ?? Number.NaN) < reached)) return start / rowLength
  }
  return null
}

/** Places of the largest numbers, largest first; a NaN is never among them. */
function largestPlaces(row: Floats, count: number): number[] {
  const places: number[] = []
  let least = Number.NEGATIVE_INFINITY
  for (let place = 0; place < row.length; place++) {
    const value = row[place] ?? Number.NaN
    if (!(value > least) && (places.length === count || Number.isNaN(value))) continue
    const before = places.findIndex((held) => (row[held] ?? Number.NaN) < value)
    places.splice(before === -1 ? places.length : before, 0, place)
    places.length = Math.min(places.length, count)
    least = row[places.at(-1) ?? place] ?? least
  }
  return places
}
