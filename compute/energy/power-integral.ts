/** Energy from readings of power, each taken to hold until the next one. */
interface PowerIntegral {
  /** `watts` null: the device says that it doesn't know. */
  add(watts: number | null, atMs: number): void
  /** Millijoules from the first reading to `atMs`; null before it, and for good after a reading that was none. */
  millijoules(atMs: number): number | null
}

/** A reading older than this says nothing of now: whatever gave it has stopped. */
const MAX_AGE_MS = 5_000

export function createPowerIntegral(): PowerIntegral {
  let sum = 0
  let last: { watts: number; atMs: number } | null = null
  let isBroken = false

  function sumTo(atMs: number): number | null {
    if (isBroken || last === null || atMs - last.atMs > MAX_AGE_MS) return null
    // Watts times milliseconds are millijoules.
    return sum + last.watts * Math.max(0, atMs - last.atMs)
  }

  return {
    add(watts, atMs) {
      if (watts === null) isBroken = true
      else {
        if (last !== null) sum += last.watts * Math.max(0, atMs - last.atMs)
        last = { watts, atMs }
      }
    },
    millijoules: sumTo,
  }
}
