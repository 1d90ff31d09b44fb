import { setImmediate as nextTurn } from 'node:timers/promises'

/**
 * Commits what comes within one turn of the event loop together, after whatever that turn answers has left: a sync of the disk
 * costs as much for many as for one. The promise settles when the commit has returned or thrown.
 */
export function createGroupCommit<T>(
  commit: (items: readonly T[]) => void,
): (items: readonly T[]) => Promise<void> {
  let waiting: T[] = []
  let group: Promise<void> | null = null

  async function commitNextTurn(): Promise<void> {
    await nextTurn()
    const items = waiting
    waiting = []
    group = null
    commit(items)
  }

  return (items) => {
    waiting.push(...items)
    group ??= commitNextTurn()
    return group
  }
}
