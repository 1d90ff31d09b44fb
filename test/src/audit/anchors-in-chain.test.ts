import { beforeAll, expect, test } from 'vitest'
import { anchorsInChain } from '../../../src/audit/anchors-in-chain.ts'
import { type Chain, makeChain } from './synthetic-chain.ts'

/** Anchors at blocks 1, 2 and 3. */
let honest: Chain
beforeAll(async () => {
  honest = await makeChain()
})

const other = new Uint8Array(80)

test.each([
  ['its tip is their last block', 3, null, 3],
  ['the last is above its tip', 2, null, 2],
  ['it ends before all of them', 0, null, 0],
  ['it has another block than the last one’s, not final', 3, 3, 2],
  ['it has another than one that two follow, not final', 2, 1, 0],
])('where %s, as many count: tip %i, other block %s, %i', (_, tipHeight, otherAt, count) => {
  const { headerAt } = honest.reader
  const own = (height: number) => (height > tipHeight ? null : height === otherAt ? other : headerAt(height))
  const { genesis, anchors } = anchorsInChain(honest.file, { tipHeight, finalDepth: 3 }, own)
  expect(genesis).toBe(honest.file.genesis)
  expect(anchors).toEqual(honest.file.anchors.slice(0, count))
})

test('one whose block is final counts, whether it is in the chain or not: its absence is no matter of age', () => {
  for (const [tipHeight, count] of [
    [4, 2],
    [5, 3],
  ] as const) {
    const own = (height: number) => (height === 3 ? other : honest.reader.headerAt(height))
    const { anchors } = anchorsInChain(honest.file, { tipHeight, finalDepth: 3 }, own)
    expect(anchors).toHaveLength(count)
  }
})
