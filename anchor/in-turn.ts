/** Runs what it is given one after the other, also after a failure. */
export function inTurn(): <T>(run: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (run) => {
    const next = last.then(run, run)
    last = next
    return next
  }
}

/** `run`, of which one runs and one waits at most: all who call meanwhile wait for the same next one. */
export function coalesced(run: () => Promise<void>): () => Promise<void> {
  const queue = inTurn()
  let waiting: Promise<void> | null = null
  return () => {
    waiting ??= queue(() => {
      waiting = null
      return run()
    })
    return waiting
  }
}
