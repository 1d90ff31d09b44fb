import assert from 'node:assert/strict'

/**
 * A price is in msat per 10^15 units. A unit is one multiply–accumulate: a rented GPU does some 10^14 of them for a
 * millisatoshi, so that per 10^9 no integer but 0 would be its price; and 1 msat for each unit can still be said.
 */
const UNITS_PER_PRICE = 10n ** 15n
/** A smaller one could not move by a per mille. 0 is none: the work is free. */
export const MIN_PRICE_MSAT = 1_000n
/** Far from the end of SQLite's integers. */
export const MAX_PRICE_MSAT = 10n ** 18n
/** Settled epochs that a quote looks at: what workers answered in one of them they can answer again. */
export const EPOCHS_IN_SIGHT = 8

/** What was asked of a subnet, and what its workers answered, in an epoch that is settled. */
export interface Demand {
  readonly askedUnits: bigint
  readonly answeredUnits: bigint
}

/** A price as the log quotes it, before its epoch. */
export interface Quote {
  readonly epoch: number
  readonly msat: bigint
  /** Index of its entry. */
  readonly entry: number
}

/** What a job costs. Rounded up: whatever isn't free costs at least 1 msat. */
export function chargeMsat(units: bigint, priceMsat: bigint): bigint {
  assert(units >= 0n && priceMsat >= 0n, 'neither work nor money is negative')
  return (units * priceMsat + UNITS_PER_PRICE - 1n) / UNITS_PER_PRICE
}

/**
 * The price in an epoch: the newest quote for it or an earlier one that an anchor committed before the epoch began, deep
 * enough to stay; else the first price, as the definition in force has it. Free by definition is free whatever was quoted.
 *
 * @param quotes in the order of the log
 * @param quotedSize size of the log that was final when the epoch began, `size(assignment(n))`
 */
export function priceInForce(
  firstMsat: bigint,
  quotes: readonly Quote[],
  epoch: number,
  quotedSize: number,
): bigint {
  if (firstMsat === 0n) return 0n
  const quote = quotes.findLast((one) => one.epoch <= epoch && one.entry < quotedSize)
  return quote?.msat ?? firstMsat
}

/**
 * The next quote, adjusted as difficulty is: the last one times demand over supply, at most a quarter up or down.
 *
 * Demand is what was asked in the epochs settled since the last quote, and what the operator says it had to turn away.
 * Supply is the most that was answered in one of the last epochs, for each of them: what stands idle can't be seen otherwise.
 *
 * @param settled of the subnet, the last EPOCHS_IN_SIGHT, oldest first; the last `fresh` of them since the last quote
 */
export function nextPriceMsat(last: {
  readonly priceMsat: bigint
  readonly settled: readonly Demand[]
  readonly fresh: number
  readonly unservedUnits: bigint
}): bigint {
  const { priceMsat, settled, fresh, unservedUnits } = last
  assert(
    settled.length <= EPOCHS_IN_SIGHT && fresh >= 0 && fresh <= settled.length,
    'fresh epochs are in sight',
  )
  if (fresh === 0) return priceMsat
  const askedUnits = settled.slice(-fresh).reduce((sum, one) => sum + one.askedUnits, unservedUnits)
  const most = settled.reduce((max, { answeredUnits }) => (answeredUnits > max ? answeredUnits : max), 0n)
  const suppliedUnits = most * BigInt(fresh)
  if (askedUnits === suppliedUnits) return priceMsat
  const least = atLeast((priceMsat * 3n + 3n) / 4n, MIN_PRICE_MSAT)
  const greatest = atMost((priceMsat * 5n) / 4n, MAX_PRICE_MSAT)
  if (suppliedUnits === 0n) return greatest
  return atMost(greatest, atLeast(least, (priceMsat * askedUnits) / suppliedUnits))
}

function atLeast(value: bigint, least: bigint): bigint {
  return value < least ? least : value
}

function atMost(value: bigint, most: bigint): bigint {
  return value > most ? most : value
}
