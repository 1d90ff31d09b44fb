import assert from 'node:assert/strict'

export interface Weight {
  key: string
  weight: bigint
}

/**
 * Shares out the whole of `totalMsat` by weight: each key's share rounded down, then one msat more to the largest
 * remainders, equal ones in the order of their keys. Every key is in the answer, or none when all weights are zero.
 *
 * Only for keys that nobody can multiply at will: a share cut in two can win 1 msat, and again in every split it is in.
 */
export function splitByLargestRemainder(totalMsat: bigint, weights: Weight[]): Map<string, bigint> {
  const parts = splitByFloor(totalMsat, weights)
  const sum = sumOf(weights)
  if (sum === 0n) return parts

  const byRemainder = weights
    .map(({ key, weight }) => ({ key, remainder: (totalMsat * weight) % sum }))
    .sort((a, b) => compare(b.remainder, a.remainder) || compare(a.key, b.key))
  let leftMsat = totalMsat - [...parts.values()].reduce((a, b) => a + b, 0n)
  for (const { key } of byRemainder) {
    if (leftMsat === 0n) break
    parts.set(key, (parts.get(key) ?? 0n) + 1n)
    leftMsat -= 1n
  }
  return parts
}

/**
 * Shares out `totalMsat` by weight, each share rounded down; what is left, less than 1 msat a key, goes to nobody.
 * ⌊a⌋ + ⌊b⌋ ≤ ⌊a + b⌋: whoever splits a weight over several keys never gains.
 */
export function splitByFloor(totalMsat: bigint, weights: Weight[]): Map<string, bigint> {
  assert(totalMsat >= 0n, 'a negative total cannot be shared')
  const sum = sumOf(weights)
  const parts = new Map<string, bigint>()
  if (sum === 0n) return parts
  for (const { key, weight } of weights) {
    assert(!parts.has(key), `${key} is listed twice`)
    parts.set(key, (totalMsat * weight) / sum)
  }
  return parts
}

function sumOf(weights: Weight[]): bigint {
  let sum = 0n
  for (const { key, weight } of weights) {
    assert(weight >= 0n, `the weight of ${key} is negative`)
    sum += weight
  }
  return sum
}

function compare<T extends bigint | string>(a: T, b: T): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
