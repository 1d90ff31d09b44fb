import { expect, it } from 'vitest'
import { PayerError } from '../../../anchor/payer-error.ts'
import { sayTrouble } from '../../../src/coordinator/payout-trouble.ts'

it('names the caps that a payout of fewer coins needs, where the coins are too small, and only there', () => {
  expect(sayTrouble(new PayerError('coins_too_small', '200 hold little'))).toMatch(
    /^200 hold little: lower .*payout\.payeeCapSats and payout\.runCapSats: /,
  )
  expect(sayTrouble(new PayerError('insufficient_funds', '200 hold little'))).toBe('200 hold little')
})
