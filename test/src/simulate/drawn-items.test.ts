import { expect, test } from 'vitest'
import { drawnItems } from '../../../src/simulate/drawn-items.ts'
import { named } from '../../../src/simulate/setting.ts'

const beacon = named('beacon')
const key = (name: string, earnedEpoch: number | null) => ({ id: named(name), earnedEpoch })
const newKeys = (count: number) => Array.from({ length: count }, (_, at) => key(`new ${at}`, null))
/** Of 10,000 items, by key. */
const itemsOf = (keys: Parameters<typeof drawnItems>[0], epoch: number) =>
  keys.map(drawnItems(keys, { epoch, beacon }))

test('before anybody has earned, items are dealt to all keys alike', () => {
  expect(itemsOf(newKeys(1), 0)).toEqual([1_000])
  expect(itemsOf(newKeys(11), 0)).toEqual(Array(11).fill(500))
})

test('afterwards new keys share one item in sixteen, however many they are', () => {
  expect(itemsOf([key('old', 8)], 9)).toEqual([1_000])
  expect(itemsOf(newKeys(1), 9)).toEqual([625])
  expect(itemsOf([key('old', 8), ...newKeys(5)], 9)).toEqual([937, ...Array(5).fill(125)])
})

test('who has earned nothing for longer than eight epochs is new again', () => {
  expect(itemsOf([key('old', 1), key('idle', 0)], 9)).toEqual([937, 625])
})
