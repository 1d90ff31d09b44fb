/** Whole numbers in a command line. Each throws commander's InvalidArgumentError, which names the option. */
import { InvalidArgumentError } from 'commander'

export function wholeSats(text: string): bigint {
  return BigInt(digits(text, 'whole satoshis'))
}

export function blockHeight(text: string): number {
  return Number(digits(text, 'a block height'))
}

export function payoutNumber(text: string): number {
  return Number(digits(text, 'the number of a payout'))
}

export function epochNumber(text: string): number {
  return Number(digits(text, 'the number of an epoch'))
}

/** 15 digits are exact in a number: more than any height, epoch or payout has, and ten million bitcoins. */
function digits(text: string, what: string): string {
  if (/^(0|[1-9]\d{0,14})$/.test(text)) return text
  throw new InvalidArgumentError(`expected ${what}`)
}
