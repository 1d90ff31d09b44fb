import type { Anchored } from '../rules/anchored.ts'
import { assignmentHeight } from '../rules/assignment.ts'
import type { EpochRules } from '../rules/epoch.ts'
import { epochOf, firstHeight } from '../rules/epoch.ts'
import { type Demand, EPOCHS_IN_SIGHT, nextPriceMsat, priceInForce, type Quote } from '../rules/price.ts'
import type { SubnetDefinition } from '../subnet/definition.ts'
import type { Books } from './books.ts'
import { record } from './books.ts'

export interface Prices {
  /** Fixes which quotes count in the next block's epoch, and quotes for the one after it. @returns whether it quoted now. */
  quoteDue(tip: number, anchored: Anchored): boolean
  /** In msat per 10^15 units; the epoch must have begun. 0 is free. */
  at(subnet: string, epoch: number): bigint
  /** The same; null where no round has seen the epoch yet, or the subnet is not in force. */
  seenAt(subnet: string, epoch: number): bigint | null
  /** What was quoted for an epoch to come; null: nothing yet. */
  quoted(subnet: string, epoch: number): bigint | null
  /** Keeps what an epoch's entry says of demand and supply, in its transaction. */
  noteDemand(entryIndex: number, demand: ReadonlyMap<string, Demand>): void
}

interface DemandRow {
  entry_index: bigint
  asked_units: string
  answered_units: string
}

/** Sums of units go past SQLite's integers, money in the log doesn't. */
const MAX_UNSERVED_UNITS = 2n ** 63n - 1n

export function openPrices(
  books: Books,
  parts: {
    market: { subnetsAt(epoch: number): SubnetDefinition[] }
    rules: EpochRules
    /** Units of priced requests that nobody could take since it was last asked. */
    takeUnserved: (subnet: string) => bigint
  },
): Prices {
  const { db } = books
  const { rules, market } = parts
  const insert = db.prepare('INSERT INTO price (entry_index, subnet, epoch, msat) VALUES (?, ?, ?, ?)')
  const newest = db.prepare<[string], { entry_index: bigint; epoch: bigint; msat: bigint }>(
    'SELECT entry_index, epoch, msat FROM price WHERE subnet = ? ORDER BY entry_index DESC LIMIT 1',
  )
  const inForce = db.prepare<[string, number, number], { entry_index: bigint; epoch: bigint; msat: bigint }>(
    `SELECT entry_index, epoch, msat FROM price WHERE subnet = ? AND epoch <= ? AND entry_index < ?
      ORDER BY entry_index DESC LIMIT 1`,
  )
  const insertDemand = db.prepare(
    'INSERT INTO demand (entry_index, subnet, asked_units, answered_units) VALUES (?, ?, ?, ?)',
  )
  const selectDemand = db.prepare<[string, number], DemandRow>(
    'SELECT entry_index, asked_units, answered_units FROM demand WHERE subnet = ? ORDER BY entry_index DESC LIMIT ?',
  )
  const quotedSize = db
    .prepare<[number], bigint | null>('SELECT quoted_size FROM epoch WHERE number = ?')
    .pluck()
  const setQuotedSize = db.prepare(
    `INSERT INTO epoch (number, quoted_size) VALUES (?, ?)
     ON CONFLICT (number) DO UPDATE SET quoted_size = excluded.quoted_size WHERE quoted_size IS NULL`,
  )

  function quoteDue(tip: number, anchored: Anchored): boolean {
    const current = epochOf(tip + 1, rules)
    if (current !== null) fixSize(current, anchored)
    const epoch = current === null ? 0 : current + 1
    if (tip + 1 >= firstHeight(epoch, rules)) return false
    let quoted = false
    for (const subnet of market.subnetsAt(epoch)) {
      const last = newest.get(subnet.name)
      if (subnet.price === 0n || (last !== undefined && Number(last.epoch) >= epoch)) continue
      quote(subnet, epoch, last)
      quoted = true
    }
    return quoted
  }

  /** Whatever stands at that height is final when the epoch begins: a reorganisation changes no price (PROTOCOL §7). */
  function fixSize(epoch: number, anchored: Anchored): void {
    if (quotedSize.get(epoch) != null) return
    setQuotedSize.run(epoch, anchored.sizeAt(assignmentHeight(epoch, rules)))
  }

  function quote(
    { name: subnet, price: firstMsat }: SubnetDefinition,
    epoch: number,
    last: { entry_index: bigint; msat: bigint } | undefined,
  ): void {
    const unserved = parts.takeUnserved(subnet)
    const unservedUnits = unserved < MAX_UNSERVED_UNITS ? unserved : MAX_UNSERVED_UNITS
    const rows = selectDemand.all(subnet, EPOCHS_IN_SIGHT).toReversed()
    const msat =
      last === undefined
        ? firstMsat
        : nextPriceMsat({
            priceMsat: last.msat,
            settled: rows.map((row) => ({
              askedUnits: BigInt(row.asked_units),
              answeredUnits: BigInt(row.answered_units),
            })),
            fresh: rows.filter((row) => row.entry_index > last.entry_index).length,
            unservedUnits,
          })
    const entry = { v: 1, kind: 'price', subnet, epoch, msat, unserved: unservedUnits } as const
    record(books, entry, (entryIndex) => insert.run(entryIndex, subnet, epoch, msat))
  }

  function seenAt(name: string, epoch: number): bigint | null {
    const subnet = market.subnetsAt(epoch).find((one) => one.name === name)
    if (subnet?.price === 0n) return 0n
    const size = quotedSize.get(epoch)
    if (subnet === undefined || size == null) return null
    const row = inForce.get(name, epoch, Number(size))
    const quotes: Quote[] =
      row === undefined ? [] : [{ epoch: Number(row.epoch), msat: row.msat, entry: Number(row.entry_index) }]
    return priceInForce(subnet.price, quotes, epoch, Number(size))
  }

  return {
    quoteDue,
    seenAt,
    at(name, epoch) {
      const msat = seenAt(name, epoch)
      if (msat === null) throw new Error(`epoch ${epoch} has no price of ${name}`)
      return msat
    },
    quoted(name, epoch) {
      const last = newest.get(name)
      return last !== undefined && Number(last.epoch) === epoch ? last.msat : null
    },
    noteDemand(entryIndex, demand) {
      for (const [subnet, { askedUnits, answeredUnits }] of demand)
        insertDemand.run(entryIndex, subnet, `${askedUnits}`, `${answeredUnits}`)
    },
  }
}
