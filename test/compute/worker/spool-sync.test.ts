import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createBell } from '../../../compute/worker/bell.ts'
import { createSpoolSync } from '../../../compute/worker/spool-sync.ts'

/** A disk that is done when a test says so. */
function openDisk() {
  const bell = createBell(new AbortController().signal)
  const begun: PromiseWithResolvers<void>[] = []
  const spoolSync = createSpoolSync({
    bell,
    spool: {
      sync() {
        const one = Promise.withResolvers<void>()
        begun.push(one)
        return one.promise
      },
    },
  })
  return { begun, spoolSync }
}

test('one sync is under way at most, the first at once, and the next is for all that was asked for meanwhile', async () => {
  const { begun, spoolSync } = openDisk()
  let isDone = false
  const running = spoolSync.run(() => isDone)
  expect(begun).toHaveLength(1)
  for (let i = 0; i < 3; i++) spoolSync.ask()
  expect(begun).toHaveLength(1)
  begun[0]?.resolve()
  await nextTurn()
  expect(begun).toHaveLength(2)
  isDone = true
  begun[1]?.resolve()
  await running
  expect(begun).toHaveLength(2)
})

test('a sync that fails ends it', async () => {
  const { begun, spoolSync } = openDisk()
  const running = spoolSync.run(() => false)
  begun[0]?.reject(new Error('EIO'))
  await expect(running).rejects.toThrow('EIO')
})
