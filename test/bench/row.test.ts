import { expect, test } from 'vitest'
import { type Bar, rowOf } from '../../bench/row.ts'

const figure = { name: 'appends', value: 30, unit: 'entries/s' }

test('a figure alone has no baseline, ratio or bar, and nothing is missed', () => {
  expect(rowOf(figure)).toEqual({ ...figure, baseline: null, ratio: null, bar: null, ok: true })
})

test('a baseline gives the ratio', () => {
  expect(rowOf({ ...figure, baseline: 40 })).toMatchObject({ baseline: 40, ratio: 0.75, ok: true })
})

test.each<[Bar['on'], Bar['is'], number, boolean]>([
  ['value', '≤', 30, true],
  ['value', '≤', 29.9, false],
  ['value', '≥', 30, true],
  ['value', '≥', 30.1, false],
  ['ratio', '≤', 0.75, true],
  ['ratio', '≤', 0.74, false],
  ['ratio', '≥', 0.75, true],
  ['ratio', '≥', 0.76, false],
])('%s %s %d of 30 beside 40: %s', (on, is, bound, ok) => {
  const row = rowOf({ ...figure, baseline: 40, bar: { on, is, bound } })
  expect(row).toMatchObject({ bar: `${on} ${is} ${bound}`, ok })
})

test.each([undefined, 0])('a ratio to a baseline of %s meets no bar', (baseline) => {
  const bar: Bar = { on: 'ratio', is: '≥', bound: 0.5 }
  expect(rowOf({ ...figure, ...(baseline === undefined ? {} : { baseline }), bar }).ok).toBe(false)
})
