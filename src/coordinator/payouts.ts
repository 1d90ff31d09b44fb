import { AddressError } from '../../anchor/address.ts'
import { PayoutCheckError } from '../../anchor/check-payout-transaction.ts'
import type { NetworkName } from '../../anchor/network.ts'
import type { Coin, Payer } from '../../anchor/payer.ts'
import { PayerError } from '../../anchor/payer-error.ts'
import type { PayoutOutput } from '../../anchor/payout-record.ts'
import { PayoutBuildError } from '../../anchor/payout-transaction.ts'
import { decodeCbor, encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { payoutAccount } from '../ledger/accounts.ts'
import { type Payee, parsePayees } from '../log/payees.ts'
import { txidBytes } from '../log/txid.ts'
import type { Anchored } from '../rules/anchored.ts'
import { MSAT_PER_SAT } from '../rules/msat-per-sat.ts'
import type { PayoutPlan } from '../rules/plan-payout.ts'
import type { Books } from './books.ts'
import { postAll, postUnquarantined, record } from './books.ts'
import { sayTrouble } from './payout-trouble.ts'
import { RefusedError } from './refused-error.ts'
import { openVoiding, type VoidedPayout } from './void-payout.ts'
import type { Withdrawals } from './withdrawals.ts'

export interface Payouts {
  /**
   * In this order and no other: plan → input pinned, intent logged, balances moved (one transaction; `begin`) → its anchor is
   * final → sign, persist, broadcast, bump (payer) → settled → ledger (`follow`). Each step is idempotent, so a crash in between
   * repeats it. While the kill switch is on, what is out is followed and nothing else happens. @returns whether one was begun.
   */
  begin(anchored: Anchored, tip: number): Promise<boolean>
  /** @returns whether every transaction is known that has spent a coin of an open payout: else its change looks like a deposit. */
  follow(anchored: Anchored): Promise<boolean>
  /** What the next payout would be if it were made now; keeps nothing. Throws RpcError, NodeError. */
  preview(anchored: Anchored, tip: number): Promise<PayoutPreview>
  /**
   * Gives up the payout of whose coins something else has spent any for good. `assertWorking` is asked again
   * once that is found. Throws what it throws; PayerError, RefusedError 404 `payout_unknown`, 409
   * `account_quarantined`; RpcError, NodeError.
   */
  voidOpen(number: number, assertWorking: () => void): Promise<VoidedPayout>
  list(): PayoutRow[]
  /** The highest block that its entries speak of; 0 before any. */
  knownHeight(): number
  /** Why the payout under way can't go on now, or null. */
  trouble(): string | null
}

interface PayoutRow {
  readonly number: number
  readonly totalSats: bigint
  /** What payees have of it for good, also by what it was given up for. */
  readonly paidSats: bigint
  readonly state: 'logged' | 'settled' | 'voided'
  readonly entryIndex: number
}

interface PayoutPreview extends PayoutPlan {
  readonly height: number
  readonly totalSats: bigint
  /** Null where there is nothing to pay, or something is in its way. */
  readonly quote: { readonly coins: readonly Coin[]; readonly vsize: number; readonly feeSats: bigint } | null
  readonly trouble: string | null
}

interface Row {
  number: bigint
  payees: Uint8Array
  total_sats: bigint
  height: bigint
  state: PayoutRow['state']
  entry_index: bigint
}

interface PayoutsOptions {
  readonly payer: Payer
  readonly withdrawals: Pick<Withdrawals, 'take' | 'giveBack'>
  readonly network: NetworkName
  readonly finalDepth: number
  readonly plan: (anchored: Anchored, tip: number) => PayoutPlan
}

/** What can be in one payout's way; anything else is the round's. */
const PAYOUT_ERRORS = [PayerError, PayoutBuildError, PayoutCheckError, AddressError]
const MAX_PAYEES_BYTES = 1024 * 1024

export function openPayouts(books: Books, options: PayoutsOptions): Payouts {
  const { payer, withdrawals, plan, finalDepth } = options
  const { db } = books
  const bookVoid = openVoiding(books, options)
  const selectAll = db.prepare<[], Row & { paid_sats: bigint }>(
    `SELECT *, (SELECT coalesce(sum(msat), 0) / ${MSAT_PER_SAT} FROM paid
                 WHERE paid.entry_index = payout.entry_index AND state <> 'logged') AS paid_sats
       FROM payout ORDER BY number`,
  )
  const selectOpen = db.prepare<[], Row>(
    `SELECT * FROM payout WHERE state = 'logged' ORDER BY number LIMIT 1`,
  )
  const selectOne = db.prepare<[number], Row>('SELECT * FROM payout WHERE number = ?')
  const nextNumber = db.prepare<[], bigint>('SELECT coalesce(max(number) + 1, 0) FROM payout').pluck()
  const insert = db.prepare(
    `INSERT INTO payout (number, entry_index, payees, last_account, total_sats, height, state)
     VALUES (?, ?, ?, ?, ?, ?, 'logged')`,
  )
  const lastHeight = db.prepare<[], bigint | null>('SELECT max(height) FROM payout').pluck()
  const setSettled = db.prepare(`UPDATE payout SET state = 'settled' WHERE number = ? AND state = 'logged'`)

  let trouble: Error | null = null

  async function step(open: Row, anchored: Anchored): Promise<void> {
    const id = payoutAccount(Number(open.number))
    const isFinal = anchored.firstFinal(Number(open.entry_index)) !== null
    const sinceHeight = sinceHeightOf(open)
    if (isFinal) await payer.prepare(id, outputsOf(readPayees(open.payees)), sinceHeight)
    await payer.advance(sinceHeight)
    settle(open, id)
  }

  /** Its coins were unspent at the tip then, of which no more than what isn't final has left the chain. */
  function sinceHeightOf({ height }: Row): number {
    return Number(height) - finalDepth + 1
  }

  async function start(anchored: Anchored, tip: number): Promise<void> {
    const { payees } = plan(anchored, tip)
    const last = payees.at(-1)
    if (last === undefined) return
    // Nothing is promised that could not be paid at the market's price and within the limits.
    await payer.quote(outputsOf(payees))
    const blob = encodeCbor(payees)
    books.blobs.putSync(blob)
    const number = Number(nextNumber.get())
    const totalSats = sumOf(payees)
    await payer.pin(payoutAccount(number), totalSats, ([pinned]) => {
      if (pinned === undefined) throw new Error(`payout ${number} has no pinned input`)
      const { txid, vout, valueSats: sats } = pinned
      const entry = {
        v: 1,
        kind: 'payout',
        payout: number,
        height: tip,
        input: { txid: txidBytes(txid), vout, sats },
        payees: sha256(blob),
        count: payees.length,
        totalSats,
      } as const
      record(books, entry, (entryIndex) => {
        move(number, payees, entryIndex)
        insert.run(number, entryIndex, entry.payees, last.account, totalSats, tip)
      })
    })
  }

  function move(number: number, payees: readonly Payee[], entryIndex: number): void {
    const transfers = payees.map(({ account, sats }) => ({
      id: `payout/${number}/${account}`,
      debit: account,
      credit: payoutAccount(number),
      amountMsat: sats * MSAT_PER_SAT,
      code: 'payout',
      entryIndex,
    }))
    postAll(books, transfers)
    for (const { debit, amountMsat } of transfers) withdrawals.take(debit, amountMsat)
  }

  function readPayees(digest: Uint8Array): Payee[] {
    const blob = books.blobs.get(Buffer.from(digest).toString('hex'))
    if (blob === null) throw new Error('the payees of a payout are not held')
    return parsePayees(decodeCbor(blob, { maxBytes: MAX_PAYEES_BYTES }))
  }

  /** The chain says that it is paid: what follows from log and chain needs no entry of its own. */
  function settle({ number, total_sats: totalSats, entry_index }: Row, id: string): void {
    const paid = payer.payouts().find((payout) => payout.id === id)
    if (paid === undefined || paid.state !== 'settled') return
    const entryIndex = Number(entry_index)
    db.transaction(() => {
      postUnquarantined(books, [
        {
          id: `payout/${number}/settled`,
          debit: payoutAccount(Number(number)),
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

  // What is in a payout's way is shown and tried again; nothing else of the round waits for it.
  return {
    async begin(anchored, tip) {
      if (selectOpen.get() !== undefined) return false
      trouble = payer.stopped() === null ? await troubleIn(() => start(anchored, tip)) : null
      return selectOpen.get() !== undefined
    },
    async follow(anchored) {
      const open = selectOpen.get()
      if (open === undefined) return true
      trouble = await troubleIn(() => step(open, anchored))
      return !(trouble instanceof PayerError && trouble.code === 'spender_unread')
    },
    async preview(anchored, tip) {
      const planned = plan(anchored, tip)
      let quote: PayoutPreview['quote'] = null
      const inTheWay = await troubleIn(async () => {
        if (planned.payees.length > 0) quote = await payer.quote(outputsOf(planned.payees))
      })
      return {
        ...planned,
        height: tip,
        totalSats: sumOf(planned.payees),
        quote,
        trouble: inTheWay && sayTrouble(inTheWay),
      }
    },
    async voidOpen(number, assertWorking) {
      const row = selectOne.get(number)
      if (row === undefined) throw new RefusedError(404, 'payout_unknown', `no payout ${number}`)
      const payees = readPayees(row.payees)
      return payer.giveUp(payoutAccount(number), outputsOf(payees), sinceHeightOf(row), (spends) => {
        assertWorking()
        return bookVoid(number, payees, spends)
      })
    },
    knownHeight: () => Number(lastHeight.get() ?? 0n),
    trouble: () => trouble && sayTrouble(trouble),
    list: () =>
      selectAll.all().map((row) => ({
        number: Number(row.number),
        totalSats: row.total_sats,
        paidSats: row.paid_sats,
        state: row.state,
        entryIndex: Number(row.entry_index),
      })),
  }
}

/** What is in a payout's way; null: nothing is. Throws what is not a payout's. */
async function troubleIn(act: () => Promise<void>): Promise<Error | null> {
  try {
    await act()
    return null
  } catch (error) {
    if (error instanceof Error && PAYOUT_ERRORS.some((type) => error instanceof type)) return error
    throw error
  }
}

function outputsOf(payees: PayoutPlan['payees']): PayoutOutput[] {
  return payees.map(({ address, sats }) => ({ address, valueSats: sats }))
}

function sumOf(payees: PayoutPlan['payees']): bigint {
  return payees.reduce((sum, { sats }) => sum + sats, 0n)
}
