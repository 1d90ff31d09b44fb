import { expect, test } from 'vitest'
import { freeReserveMsat } from '../../../src/rules/free-reserve.ts'

test.each([
  ['what is used up, lost or kept is not free', 100_000n, 90_000n - 7n],
  ['more used up than there is leaves nothing', 10_006n, 0n],
])('%s', (_what, reserveMsat, freeMsat) => {
  const used = { feesMsat: 1n, inheritedMsat: 2n, lostMsat: 4n, feeReserveSats: 10n }
  expect(freeReserveMsat({ reserveMsat, ...used })).toBe(freeMsat)
})
