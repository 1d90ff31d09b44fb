/** At most one poll is open for each key: a newer one ends the older, whose answer is then empty. */
interface OnePoll {
  /** Runs `poll`; `superseded` aborts when a newer one of the same key begins. */
  run<T>(key: Uint8Array, poll: (superseded: AbortSignal) => Promise<T>): Promise<T>
}

export function createOnePoll(): OnePoll {
  const open = new Map<string, AbortController>()
  return {
    async run(key, poll) {
      const name = Buffer.from(key).toString('hex')
      open.get(name)?.abort()
      const mine = new AbortController()
      open.set(name, mine)
      try {
        return await poll(mine.signal)
      } finally {
        if (open.get(name) === mine) open.delete(name)
      }
    },
  }
}
