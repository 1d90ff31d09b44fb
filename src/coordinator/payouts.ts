import { AddressError } from '../../anchor/address.ts'
import { PayoutCheckError } from '../../anchor/check-payout-transaction.ts'
import type { Payer } from '../../anchor/payer.ts'
import { PayerError } from '../../anchor/payer-error.ts'
import { PayoutBuildError } from '../../anchor/payout-transaction.ts'
import { decodeCbor, encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { maturedAccount, payoutAccount } from '../ledger/accounts.ts'
import { type Payee, parsePayees } from '../log/payees.ts'
import { txidBytes } from '../log/txid.ts'
import type { Anchored } from '../rules/anchored.ts'
import type { Books } from './books.ts'
import { postAll, quarantinedAccounts, record } from './books.ts'

export interface Payouts {
  /**
   * One step further, in this order and no other: plan (row) → pin the input → log the intent → its anchor is final →
   * sign, persist, broadcast (payer) → settled → ledger. Each step is idempotent, so a crash in between repeats it.
   */
  advance(anchored: Anchored): Promise<void>
  list(): PayoutRow[]
  /** Why the payout under way can't go on now, or null. */
  trouble(): string | null
}

export interface PayoutRow {
  readonly number: number
  readonly totalSats: bigint
  readonly state: 'planned' | 'logged' | 'settled'
  readonly entryIndex: number | null
}

interface Row {
  number: bigint
  payees: Uint8Array
  total_sats: bigint
  state: PayoutRow['state']
  entry_index: bigint | null
}

export interface PayoutPolicy {
  readonly thresholdSats: bigint
  readonly maxPayees: number
}

const MSAT_PER_SAT = 1000n
/** What can be in one payout's way; anything else is the round's. */
const PAYOUT_ERRORS = [PayerError, PayoutBuildError, PayoutCheckError, AddressError]
const MAX_PAYEES_BYTES = 1024 * 1024

export function openPayouts(books: Books, payer: Payer, policy: PayoutPolicy): Payouts {
  const { db } = books
  const selectAll = db.prepare<[], Row>('SELECT * FROM payout ORDER BY number')
  const selectOpen = db.prepare<[], Row>(
    `SELECT * FROM payout WHERE state <> 'settled' ORDER BY number LIMIT 1`,
  )
  const nextNumber = db.prepare<[], bigint>('SELECT coalesce(max(number) + 1, 0) FROM payout').pluck()
  const insert = db.prepare(
    `INSERT INTO payout (number, payees, total_sats, state) VALUES (?, ?, ?, 'planned')`,
  )
  const setLogged = db.prepare(
    `UPDATE payout SET state = 'logged', entry_index = ? WHERE number = ? AND state = 'planned'`,
  )
  const setSettled = db.prepare(`UPDATE payout SET state = 'settled' WHERE number = ? AND state = 'logged'`)
  const selectWorkers = db.prepare<[], { key: Uint8Array; address: string }>(
    `SELECT key, address FROM worker
      UNION SELECT worker, address FROM inheritance WHERE worker NOT IN (SELECT key FROM worker) ORDER BY key`,
  )

  let trouble: string | null = null

  /** What is in a payout's way is shown and tried again; nothing else of the round waits for it. */
  async function advance(anchored: Anchored): Promise<void> {
    trouble = null
    try {
      await step(anchored)
    } catch (error) {
      if (!PAYOUT_ERRORS.some((type) => error instanceof type) || !(error instanceof Error)) throw error
      trouble = error.message
    }
  }

  async function step(anchored: Anchored): Promise<void> {
    const open = selectOpen.get() ?? plan()
    if (open === null) return
    const number = Number(open.number)
    const id = payoutAccount(number)
    const payees = readPayees(open.payees)
    const coins = await payer.pin(id, open.total_sats)
    const pinned = coins[0]
    if (pinned === undefined) throw new Error(`payout ${number} has no pinned input`)
    if (open.state === 'planned') {
      const input = { txid: txidBytes(pinned.txid), vout: pinned.vout, sats: pinned.valueSats }
      logIntent(open, input, payees)
      return
    }
    if (open.entry_index === null || anchored.firstFinal(Number(open.entry_index)) === null) return
    await payer.prepare(
      id,
      payees.map(({ address, sats }) => ({ address, valueSats: sats })),
    )
    await payer.advance()
    settle(number, id, open.total_sats)
  }

  /** Whole satoshis of everyone above the threshold; what is left of a satoshi stays matured. */
  function plan(): Row | null {
    const quarantined = quarantinedAccounts(books)
    const payees = selectWorkers
      .all()
      .filter(({ key }) => !quarantined.has(maturedAccount(Buffer.from(key).toString('hex'))))
      .map(({ key, address }): Payee => {
        const matured = books.ledger.balance(maturedAccount(Buffer.from(key).toString('hex')))
        return { address, sats: matured.availableMsat / MSAT_PER_SAT, worker: key }
      })
      .filter(({ sats }) => sats >= policy.thresholdSats)
      .slice(0, policy.maxPayees)
    if (payees.length === 0) return null
    const blob = encodeCbor(payees)
    books.blobs.putSync(blob)
    const total = payees.reduce((sum, { sats }) => sum + sats, 0n)
    insert.run(nextNumber.get(), sha256(blob), total)
    return selectOpen.get() ?? null
  }

  function readPayees(digest: Uint8Array): Payee[] {
    const blob = books.blobs.get(Buffer.from(digest).toString('hex'))
    if (blob === null) throw new Error('the payees of a payout are not held')
    return parsePayees(decodeCbor(blob, { maxBytes: MAX_PAYEES_BYTES }))
  }

  function logIntent(
    row: Row,
    input: { txid: Uint8Array; vout: number; sats: bigint },
    payees: Payee[],
  ): void {
    const number = Number(row.number)
    const entry = {
      v: 1,
      kind: 'payout',
      payout: number,
      input,
      payees: row.payees,
      count: payees.length,
      totalSats: row.total_sats,
    } as const
    record(books, entry, (entryIndex) => {
      postAll(
        books,
        payees.map(({ worker, sats }) => {
          const key = Buffer.from(worker).toString('hex')
          return {
            id: `payout/${number}/${key}`,
            debit: maturedAccount(key),
            credit: payoutAccount(number),
            amountMsat: sats * MSAT_PER_SAT,
            code: 'payout',
            entryIndex,
          }
        }),
      )
      if (setLogged.run(entryIndex, number).changes !== 1)
        throw new Error(`payout ${number} is logged already`)
    })
  }

  /** The chain says that it is paid: what follows from log and chain needs no entry of its own. */
  function settle(number: number, id: string, totalSats: bigint): void {
    const paid = payer.payouts().find((payout) => payout.id === id)
    if (paid === undefined || paid.state !== 'settled') return
    const entryIndex = Number(selectOpen.get()?.entry_index)
    db.transaction(() => {
      postAll(books, [
        {
          id: `payout/${number}/settled`,
          debit: payoutAccount(number),
          credit: 'treasury',
          amountMsat: totalSats * MSAT_PER_SAT,
          code: 'payout_settled',
          entryIndex,
        },
        {
          id: `payout/${number}/fee`,
          debit: 'fees',
          credit: 'treasury',
          amountMsat: paid.feeSats * MSAT_PER_SAT,
          code: 'payout_fee',
          entryIndex,
        },
      ])
      if (setSettled.run(number).changes !== 1) throw new Error(`payout ${number} is settled already`)
    }).immediate()
  }

  return {
    advance,
    trouble: () => trouble,
    list: () =>
      selectAll.all().map((row) => ({
        number: Number(row.number),
        totalSats: row.total_sats,
        state: row.state,
        entryIndex: row.entry_index === null ? null : Number(row.entry_index),
      })),
  }
}
