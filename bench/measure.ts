/** Whatever is to be timed; what it returns is awaited and dropped. */
type Way = () => unknown

/** Odd, so that the median is one of them. */
const ROUNDS = 5

/**
 * Median seconds of two ways that take turns (A B A B …), after a round of both that isn't counted: what slows the
 * machine for a while then slows both.
 */
export async function sideBySide(
  ours: Way,
  baseline: Way,
  rounds = ROUNDS,
): Promise<{ oursSeconds: number; baselineSeconds: number }> {
  const oursSeconds: number[] = []
  const baselineSeconds: number[] = []
  await secondsOf(ours)
  await secondsOf(baseline)
  for (let round = 0; round < rounds; round += 1) {
    oursSeconds.push(await secondsOf(ours))
    baselineSeconds.push(await secondsOf(baseline))
  }
  return { oursSeconds: median(oursSeconds), baselineSeconds: median(baselineSeconds) }
}

/** Median seconds of one way, after a round that isn't counted. */
export async function medianSeconds(way: Way, rounds = ROUNDS): Promise<number> {
  await secondsOf(way)
  const seconds: number[] = []
  for (let round = 0; round < rounds; round += 1) seconds.push(await secondsOf(way))
  return median(seconds)
}

/** The middle one; of an even number the upper of the two. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** The one that `share` of them, rounded down, are below; 0 ≤ share < 1. */
export function percentile(values: readonly number[], share: number): number {
  const found = values.toSorted((a, b) => a - b)[Math.floor(values.length * share)]
  if (found === undefined) throw new RangeError('nothing to take one of')
  return found
}

async function secondsOf(way: Way): Promise<number> {
  const startedMs = performance.now()
  await way()
  return (performance.now() - startedMs) / 1000
}
