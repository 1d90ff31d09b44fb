import assert from 'node:assert/strict'

/** MAX_MONEY, 21 million BTC in satoshis (Bitcoin Core, consensus/amount.h). */
export const MAX_MONEY_SATS = 2_100_000_000_000_000n

const DECIMALS = 8
/** "21000000.00000000" has 17 characters; anything much longer is not an amount. */
const MAX_AMOUNT_CHARACTERS = 32
const DECIMAL = /^(\d+)(?:\.(\d+))?(?:e([+-]?\d{1,2}))?$/

export class AmountError extends Error {
  override readonly name = 'AmountError'
  readonly code = 'amount_invalid'
}

/**
 * Satoshis of a BTC amount as bitcoind's JSON holds it: a number, or a string where the client keeps digits
 * that a double might lose. Exact: works on the decimal digits, never on the float's value. JavaScript prints
 * 0.00000001 as 1e-8, so exponents are read too. Refuses negative amounts, fractions of a satoshi and more
 * than 21 million BTC. Throws AmountError.
 */
export function parseBtcAmount(value: unknown): bigint {
  if (typeof value !== 'number' && typeof value !== 'string') {
    throw new AmountError(`BTC amount: expected a number or a decimal string, received ${typeof value}`)
  }
  const text = String(value)
  const parts = text.length <= MAX_AMOUNT_CHARACTERS ? DECIMAL.exec(text) : null
  const [, whole = '', fraction = '', exponent = '0'] = parts ?? []
  if (whole === '') throw refuse(text, 'not a decimal amount')
  const shift = DECIMALS + Number(exponent) - fraction.length
  if (shift < 0) throw refuse(text, 'finer than a satoshi')
  const sats = BigInt(whole + fraction) * 10n ** BigInt(shift)
  if (sats > MAX_MONEY_SATS) throw refuse(text, 'more than 21 million BTC')
  return sats
}

/** The amount in BTC with eight decimals, as bitcoind accepts it in a string. */
export function formatBtcAmount(sats: bigint): string {
  assert(sats >= 0n && sats <= MAX_MONEY_SATS, `amount out of range: ${sats} sat`)
  const digits = sats.toString().padStart(DECIMALS + 1, '0')
  return `${digits.slice(0, -DECIMALS)}.${digits.slice(-DECIMALS)}`
}

function refuse(text: string, why: string): AmountError {
  return new AmountError(`BTC amount ${JSON.stringify(text.slice(0, MAX_AMOUNT_CHARACTERS))}: ${why}`)
}
