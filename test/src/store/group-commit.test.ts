import { describe, expect, test } from 'vitest'
import { createGroupCommit } from '../../../src/store/group-commit.ts'

describe('createGroupCommit', () => {
  test('commits what comes in one turn together, and what comes later by itself', async () => {
    const committed: (readonly number[])[] = []
    const add = createGroupCommit<number>((items) => void committed.push(items))
    const first = Promise.all([add([1, 2]), add([]), add([3])])
    expect(committed).toEqual([])
    await first
    expect(committed).toEqual([[1, 2, 3]])
    await add([4])
    expect(committed).toEqual([[1, 2, 3], [4]])
  })

  test('lets what was answered in that turn go first', async () => {
    const order: string[] = []
    const add = createGroupCommit(() => void order.push('committed'))
    const answer = Promise.resolve().then(() => order.push('answered'))
    await Promise.all([add([1]), answer])
    expect(order).toEqual(['answered', 'committed'])
  })

  test('fails for all of a group, and not for the next', async () => {
    let isFull = true
    const add = createGroupCommit(() => {
      if (isFull) throw new Error('disk full')
    })
    const outcomes = await Promise.allSettled([add([1]), add([2])])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    isFull = false
    await expect(add([3])).resolves.toBeUndefined()
  })
})
