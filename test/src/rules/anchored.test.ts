import { expect, test } from 'vitest'
import type { AnchorRecord } from '../../../anchor/anchor-record.ts'
import { anchoredView } from '../../../src/rules/anchored.ts'

type Place = Pick<AnchorRecord, 'state' | 'size' | 'height'>

const anchors = (...places: Place[]) => places.map((place, index) => ({ index, ...place }))

const VIEW = anchoredView(
  anchors(
    { state: 'final', size: 3, height: 100 },
    { state: 'final', size: 3, height: 104 },
    { state: 'final', size: 8, height: 104 },
    { state: 'mined', size: 20, height: 110 },
    { state: 'broadcast', size: 30, height: null },
  ),
)

test.each([
  // An anchor over `size` entries holds those below it.
  [0, { index: 0, height: 100, final: true }],
  [2, { index: 0, height: 100, final: true }],
  [3, { index: 2, height: 104, final: true }],
  [7, { index: 2, height: 104, final: true }],
  [8, { index: 3, height: 110, final: false }],
  [19, { index: 3, height: 110, final: false }],
])('entry %i was first committed by %o', (entry, anchor) => {
  expect(VIEW.first(entry)).toMatchObject(anchor)
  expect(VIEW.firstFinal(entry)).toEqual(anchor.final ? VIEW.first(entry) : null)
})

test.each([20, 29, 1000])('entry %i is in no block yet', (entry) => {
  expect(VIEW.first(entry)).toBeNull()
  expect(VIEW.firstFinal(entry)).toBeNull()
})

test.each([
  [0, 0],
  [99, 0],
  [100, 3],
  [103, 3],
  [104, 8],
  [109, 8],
  [110, 20],
  [1_000_000, 20],
])('up to block %i, anchors commit %i entries', (height, size) => {
  expect(VIEW.sizeAt(height)).toBe(size)
})

test.each<[string, Place[]]>([
  ['no anchor', []],
  ['one that was never mined', [{ state: 'stalled', size: 9, height: null }]],
  ['one that a reorg took back', [{ state: 'broadcast', size: 9, height: null }]],
])('%s commits nothing', (_what, places) => {
  const view = anchoredView(anchors(...places))
  expect(view.first(0)).toBeNull()
  expect(view.sizeAt(1_000)).toBe(0)
})
