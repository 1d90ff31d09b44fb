/** Requests are numbered as they are sent, by one byte that no stream cuts in two. */
export const REQUEST_NUMBERS = 256

/** Modulo REQUEST_NUMBERS. */
export function numberAfter(number: number, steps = 1): number {
  return (number + REQUEST_NUMBERS + steps) % REQUEST_NUMBERS
}

/**
 * Of two threads, one has the request that follows the `newest` which either took: the runner's main thread, which begins it, or the
 * one that its parent reaches meanwhile, which gives it back. False: the other one had it first.
 */
export function takeClaim(newest: Int32Array<SharedArrayBuffer>, number: number): boolean {
  const before = numberAfter(number, -1)
  const isMine = Atomics.compareExchange(newest, 0, before, number) === before
  if (isMine) Atomics.notify(newest, 0)
  return isMine
}

/**
 * Once the request before it is taken: one that is on its way will be, by the main thread. The one before that has been: at most two
 * that nobody took are with the process.
 */
export async function takeWithdrawn(newest: Int32Array<SharedArrayBuffer>, number: number): Promise<boolean> {
  await Atomics.waitAsync(newest, 0, numberAfter(number, -2)).value
  return takeClaim(newest, number)
}
