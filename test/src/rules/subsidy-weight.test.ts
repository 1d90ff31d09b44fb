import { expect, test } from 'vitest'
import { subsidyWeight } from '../../../src/rules/subsidy-weight.ts'

test.each([
  ['public', 1, 1n],
  ['public', 1_000_000, 1_000_000n],
  ['private', 1, 0n],
  ['private', 1_000_000, 0n],
] as const)('a %s subnet of weight %i counts %i when the subsidy is divided', (privacy, weight, counts) => {
  expect(subsidyWeight({ privacy, weight })).toBe(counts)
})
