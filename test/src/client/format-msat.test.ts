import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatMsat } from '../../../src/client/format-msat.ts'

test.each([
  [0n, '0.000'],
  [1n, '0.001'],
  [-1n, '-0.001'],
  [999n, '0.999'],
  [1_000n, '1.000'],
  [-1_000n, '-1.000'],
  [57_000_001n, '57000.001'],
  [2n ** 63n - 1n, '9223372036854775.807'],
])('%i msat are %s sat', (msat, text) => {
  expect(formatMsat(msat)).toBe(text)
})

test('no digit is lost: without its point the text is the amount', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }), (msat) => {
      const text = formatMsat(msat)
      expect(text).toMatch(/^-?\d+\.\d{3}$/)
      expect(BigInt(text.replace('.', '').replace(/^(-?)0+(?=\d)/, '$1'))).toBe(msat)
    }),
  )
})
