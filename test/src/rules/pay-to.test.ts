import { expect, test } from 'vitest'
import type { MinedAnchor } from '../../../src/rules/anchored.ts'
import { isPending, type PayTo, payToAt } from '../../../src/rules/pay-to.ts'

const FINAL_DEPTH = 6

/** Entries that are anchored, and at which height. */
function view(heights: Record<number, number>) {
  const first = (entry: number): MinedAnchor | null => {
    const height = heights[entry]
    return height === undefined ? null : { index: 0, height, size: entry + 1, final: true }
  }
  return { anchored: { first }, finalDepth: FINAL_DEPTH }
}

const registered: PayTo = { entry: 3, address: 'old', thresholdSats: 0n, change: null }
function change(entry: number, address: string, replaces: number, expiryHeight: number): PayTo {
  return { entry, address, thresholdSats: 0n, change: { replaces, expiryHeight } }
}
const addressAt = (declarations: PayTo[], height: number, heights: Record<number, number>) =>
  payToAt(declarations, height, view(heights))?.address ?? null

test('a worker is paid at its registered address, and a key that is not registered nowhere', () => {
  expect(addressAt([registered], 0, {})).toBe('old')
  expect(addressAt([], 100, {})).toBeNull()
})

test('a change counts from the block that makes its anchor final', () => {
  const declared = [registered, change(9, 'new', 3, 200)]
  expect(addressAt(declared, 300, {})).toBe('old')
  expect(addressAt(declared, 104, { 9: 100 })).toBe('old')
  expect(addressAt(declared, 105, { 9: 100 })).toBe('new')
})

test('a change that is anchored after it expired never counts', () => {
  const declared = [registered, change(9, 'new', 3, 100)]
  expect(addressAt(declared, 300, { 9: 100 })).toBe('new')
  expect(addressAt(declared, 300, { 9: 101 })).toBe('old')
})

test('a change counts only in place of what was in force when it was anchored', () => {
  const [first, second] = [change(9, 'second', 3, 200), change(12, 'third', 9, 300)]
  expect(addressAt([registered, first, second], 300, { 9: 100, 12: 110 })).toBe('third')
  // The first was not final yet when the second was anchored, or has expired unseen.
  expect(addressAt([registered, first, second], 300, { 9: 100, 12: 104 })).toBe('second')
  expect(addressAt([registered, first, second], 300, { 9: 201, 12: 250 })).toBe('old')
  // An old signature doesn't bring an old address back.
  const back = change(15, 'second', 3, 300)
  expect(addressAt([registered, first, second, back], 300, { 9: 100, 12: 110, 15: 120 })).toBe('third')
})

test('a change is pending until its anchor is final, or until no anchor in time can come any more', () => {
  const one = change(9, 'new', 3, 100)
  expect(isPending(registered, 50, view({}))).toBe(false)
  expect(isPending(one, 104, view({}))).toBe(true)
  expect(isPending(one, 105, view({}))).toBe(false)
  expect(isPending(one, 104, view({ 9: 100 }))).toBe(true)
  expect(isPending(one, 105, view({ 9: 100 }))).toBe(false)
  // Long before it would have expired.
  expect(isPending(one, 54, view({ 9: 50 }))).toBe(true)
  expect(isPending(one, 55, view({ 9: 50 }))).toBe(false)
})
