import { expect, it } from 'vitest'
import { coalesced, inTurn } from '../../anchor/in-turn.ts'

it('runs one after the other, in order, also after one that failed', async () => {
  const queue = inTurn()
  const trace: string[] = []
  const first = queue(async () => {
    trace.push('first begins')
    await Promise.resolve()
    trace.push('first ends')
    throw new Error('first failed')
  })
  const second = queue(async () => {
    trace.push('second begins')
    return 2
  })
  await expect(first).rejects.toThrow('first failed')
  expect(await second).toBe(2)
  expect(trace).toEqual(['first begins', 'first ends', 'second begins'])
})

it('lets one run and one wait, and gives the waiting one to all who call meanwhile', async () => {
  let runs = 0
  let finish = () => {}
  const run = coalesced(async () => {
    runs++
    await new Promise<void>((resolve) => {
      finish = resolve
    })
  })
  const first = run()
  await Promise.resolve()
  const [second, third] = [run(), run()]
  expect(second).toBe(third)
  expect(second).not.toBe(first)
  finish()
  await first
  await Promise.resolve()
  finish()
  await second
  expect(runs).toBe(2)
})
