import { isDeepStrictEqual } from 'node:util'
import type { Database } from 'better-sqlite3'
import { parseAddress } from './address.ts'
import { adopted, findSpend } from './adopt-spend.ts'
import { advancePayout } from './advance-payout.ts'
import { PayoutCheckError } from './check-payout-transaction.ts'
import { chooseCoins } from './choose-coins.ts'
import { sealScript } from './commitment.ts'
import { anchorFee } from './fee.ts'
import { checkLeft, findFinalSpends } from './final-spend.ts'
import type { Spender } from './find-spender.ts'
import { inTurn } from './in-turn.ts'
import type { NetworkName } from './network.ts'
import type { Node } from './node.ts'
import { PayerError } from './payer-error.ts'
import { feeCapSats, type PayerPolicy, payoutLimits } from './payer-policy.ts'
import { openPayerStore, type Stop } from './payer-store.ts'
import { CHANGE_KEY, createPayoutMaker } from './payout-maker.ts'
import type { PayoutAttempt, PayoutOutput, PayoutRecord } from './payout-record.ts'
import type { KeyAt, TreasuryCoin } from './payout-transaction.ts'
import { finalizePsbt } from './psbt.ts'
import { openSpendSearch, type SpendSearch } from './spend-search.ts'
import { taprootAddress } from './taproot-address.ts'

export type { PayoutRecord } from './payout-record.ts'
export type Coin = TreasuryCoin

interface PayerOptions {
  /** Reads integers as bigint, commits with full sync. Stays the caller's. */
  db: Database
  node: Node
  network: NetworkName
  keyAt: KeyAt
  policy: PayerPolicy
  /** Candidates; each is looked up in the node before it is taken. */
  listCoins: () => Promise<readonly Coin[]>
}

/**
 * Pays lists of outputs from the treasury, each exactly once: pin → persist → sign → persist the final bytes →
 * broadcast → bump while it waits → confirm → settle. Calls run one after the other. All may throw RpcError and
 * NodeError.
 */
export interface Payer {
  /** The coins and the fee of a payout if it were pinned and made now. Throws as pin and prepare do, and keeps nothing. */
  quote(outputs: readonly PayoutOutput[]): Promise<PayoutQuote>
  /**
   * Takes coins for a payout of that total, its highest fee and a change output, for good; the first is THE pinned
   * input. `alongside` gets them and runs in the transaction that keeps them. The same call again gives the same coins
   * and runs nothing. Throws PayerError `insufficient_funds`, `coins_too_small`, `payout_differs`, `node_syncing`.
   */
  pin(id: string, totalSats: bigint, alongside?: (coins: readonly Coin[]) => void): Promise<Coin[]>
  /**
   * Makes the payout's first attempt and keeps it, or the one that has spent the pinned input already; sends nothing. The same call
   * again does nothing. `sinceHeight` as in advance. Throws PayerError `payout_unknown`, `payout_differs`, `input_spent`, `spender_unread`,
   * `fee_stalled`, `stopped`; AddressError, PayoutBuildError.
   */
  prepare(id: string, outputs: readonly PayoutOutput[], sinceHeight?: number): Promise<void>
  /**
   * Judges every payout that isn't settled at the present tip, sends again what the node lost, bumps. Idempotent. What
   * has spent a coin unknown to this database is looked for down to the block at `sinceHeight`, below which all were
   * unspent: PayerError `spender_unread` until that is found.
   */
  advance(sinceHeight?: number): Promise<void>
  /**
   * The kill switch, kept in the database: from here on nothing is signed or sent, not even within a call that has begun;
   * what is out is followed. The first reason stays until `resume`.
   */
  stop(reason: string, nowMs: number): void
  resume(): void
  stopped(): Stop | null
  /**
   * Closes a payout to `outputs` of whose inputs something else has spent any for good, in the block at
   * `sinceHeight` or above it: those that are left are free again. `alongside` gets all that did, and runs in
   * the transaction that keeps it. Only that waits for its turn: no other call waits for the search. Throws
   * PayerError `payout_unknown`, `payout_closed`, `input_unspent`, `spend_not_final`, `spend_is_payment`.
   */
  giveUp<T>(
    id: string,
    outputs: readonly PayoutOutput[],
    sinceHeight: number,
    alongside: (spends: readonly Spender[]) => T,
  ): Promise<T>
  /** What waits for an external signature, as a PSBT that lacks it; null when nothing does. */
  unsignedPsbt(id: string): Uint8Array | null
  /**
   * Takes the signed form of what waits, after comparing it with what is kept; sends nothing. @returns its txid. Throws
   * PayerError `nothing_to_sign`; PsbtError, PayoutCheckError.
   */
  importPsbt(id: string, psbt: Uint8Array): Promise<string>
  /** Oldest first. */
  payouts(): PayoutRecord[]
}

export interface PayoutQuote {
  coins: Coin[]
  vsize: number
  feeSats: bigint
}

export function openPayer(options: PayerOptions): Payer {
  const { db, node, network, keyAt, policy, listCoins } = options
  const store = openPayerStore(db)
  const change = parseAddress(taprootAddress(keyAt(CHANGE_KEY).internalKey, network), network)
  const maker = createPayoutMaker({ network, keyAt, changeScript: change.script })
  const findSpent = openSpendSearch(node)
  const queue = inTurn()

  function scriptAt(keyIndex: number): Uint8Array {
    return sealScript(keyAt(keyIndex).internalKey, null)
  }

  async function choose(totalSats: bigint): Promise<Coin[]> {
    if ((await node.chain()).initialBlockDownload) {
      throw new PayerError('node_syncing', 'the node is still catching up: no coin can be taken')
    }
    // The market moves until the payout is mined: the highest fee that the policy allows is set aside.
    const neededSats = totalSats + feeCapSats(policy, totalSats) + change.dustSats
    const candidates = (await listCoins()).filter((coin) => !store.isPinned(coin))
    return chooseCoins(node, candidates, ({ keyIndex }) => scriptAt(keyIndex), neededSats)
  }

  async function quote(outputs: readonly PayoutOutput[]): Promise<PayoutQuote> {
    const totalSats = sumOf(outputs)
    const coins = await choose(totalSats)
    const vsize = maker.paymentVsize(coins.length, outputs)
    return { coins, vsize, feeSats: await price(vsize, totalSats) }
  }

  async function pin(
    id: string,
    totalSats: bigint,
    alongside: (coins: readonly Coin[]) => void,
  ): Promise<Coin[]> {
    const known = store.get(id)
    if (known !== null) {
      if (known.totalSats === totalSats) return known.inputs
      throw differs(id, `it was pinned for ${known.totalSats} sat, not ${totalSats}`)
    }
    const coins = await choose(totalSats)
    store.pin(id, totalSats, coins, () => alongside(coins))
    return coins
  }

  async function prepare(id: string, outputs: readonly PayoutOutput[], sinceHeight: number): Promise<void> {
    const known = store.get(id)
    if (known === null) throw new PayerError('payout_unknown', `payout ${id} has no pinned input`)
    const totalSats = sumOf(outputs)
    if (known.totalSats !== totalSats) {
      throw differs(id, `it was pinned for ${known.totalSats} sat, its outputs sum to ${totalSats}`)
    }
    if (known.state === 'pinned') return build(known, outputs, sinceHeight)
    if (!isDeepStrictEqual(known.outputs, outputs.map(plain)))
      throw differs(id, 'it was prepared for other outputs')
  }

  async function build(
    { id, inputs, totalSats }: PayoutRecord,
    outputs: readonly PayoutOutput[],
    sinceHeight: number,
  ) {
    const search = searchFor(id, sinceHeight)
    const meant = { inputs, outputs: [...outputs] }
    const where = { coins: inputs, parent: null }
    const spend = await findSpend({ node, maker, search }, meant, where, { mempool: true })
    if (spend?.kind === 'foreign') {
      store.markTrouble(id, spend.reason)
      throw new PayerError('input_spent', spend.reason)
    }
    if (spend !== null) return store.keepFirst(id, outputs, spend.attempt)
    const feeSats = await price(maker.paymentVsize(inputs.length, outputs), totalSats)
    const { height } = await node.chain()
    if (!maySend()) throw new PayerError('stopped', 'payouts are stopped: nothing is signed')
    store.keepFirst(id, outputs, maker.make(meant, { parent: null, feeSats }, height))
  }

  async function price(vsize: number, totalSats: bigint): Promise<bigint> {
    const market = await node.feeMarket(policy.targetBlocks)
    const answer = anchorFee({ ...market, ...payoutLimits(policy, totalSats), vsize })
    if (answer.kind === 'fee') return answer.feeSats
    const { neededSats, reason } = answer
    throw new PayerError('fee_stalled', `${reason}: a fee of ${neededSats} sat is needed`, { neededSats })
  }

  const maySend = () => store.stopped() === null

  async function advance(sinceHeight: number): Promise<void> {
    for (const payout of store.open()) {
      const search = searchFor(payout.id, sinceHeight)
      await advancePayout({ node, store, maker, search, policy, maySend }, payout)
    }
  }

  function searchFor(id: string, sinceHeight: number): SpendSearch {
    return (coin) =>
      findSpent(coin, sinceHeight).catch((error) => {
        if (error instanceof PayerError) store.markTrouble(id, error.message)
        throw error
      })
  }

  function underWay(id: string): PayoutRecord {
    const known = store.get(id)
    if (known === null) throw new PayerError('payout_unknown', `no payout ${id}`)
    if (isClosed(known)) throw new PayerError('payout_closed', `${id} is ${known.state} already`)
    return known
  }

  async function giveUp<T>(
    id: string,
    outputs: readonly PayoutOutput[],
    sinceHeight: number,
    alongside: (spends: readonly Spender[]) => T,
  ): Promise<T> {
    const { inputs } = underWay(id)
    const { spends, left } = await findFinalSpends(node, inputs, {
      sinceHeight,
      finalDepth: policy.finalDepth,
    })
    for (const spend of spends) {
      if (adopted(maker, { inputs, outputs: [...outputs] }, null, spend) instanceof PayoutCheckError) continue
      throw new PayerError('spend_is_payment', `${spend.txid} is the payment of ${id}`)
    }
    return queue(async () => {
      underWay(id)
      await checkLeft(node, left)
      return store.markVoided(id, left, () => alongside(spends))
    })
  }

  function unsigned(id: string) {
    const payout = store.get(id)
    if (payout === null || isClosed(payout)) return null
    const attempt = payout.attempts.findLast(({ raw }) => raw === null)
    if (attempt === undefined) return null
    return { payout, attempt, wanted: { ...attempt, parent: parentOf(payout, attempt) } }
  }

  async function importPsbt(id: string, psbt: Uint8Array): Promise<string> {
    const waiting = unsigned(id)
    if (waiting === null)
      throw new PayerError('nothing_to_sign', `nothing of payout ${id} waits for a signature`)
    const raw = finalizePsbt(psbt)
    maker.check(waiting.payout, waiting.wanted, raw)
    store.keepSigned(waiting.attempt.number, raw, (await node.chain()).height)
    return waiting.attempt.txid
  }

  return {
    quote: (outputs) => queue(() => quote(outputs)),
    pin: (id, totalSats, alongside = () => undefined) => queue(() => pin(id, totalSats, alongside)),
    prepare: (id, outputs, sinceHeight = 0) => queue(() => prepare(id, outputs, sinceHeight)),
    advance: (sinceHeight = 0) => queue(() => advance(sinceHeight)),
    stop: (reason, nowMs) => store.stop({ reason, sinceMs: nowMs }),
    resume: () => store.resume(),
    stopped: () => store.stopped(),
    giveUp,
    unsignedPsbt(id) {
      const waiting = unsigned(id)
      return waiting === null ? null : maker.psbt(waiting.payout, waiting.wanted)
    },
    importPsbt: (id, psbt) => queue(() => importPsbt(id, psbt)),
    payouts: () => store.all(),
  }
}

function isClosed({ state }: PayoutRecord): boolean {
  return state === 'settled' || state === 'voided'
}

function parentOf({ attempts }: PayoutRecord, { parent }: PayoutAttempt): PayoutAttempt | null {
  return attempts.find(({ number }) => number === parent) ?? null
}

function sumOf(outputs: readonly PayoutOutput[]): bigint {
  return outputs.reduce((sum, { valueSats }) => sum + valueSats, 0n)
}

function differs(id: string, why: string): PayerError {
  return new PayerError('payout_differs', `payout ${id}: ${why}`)
}

function plain({ address, valueSats }: PayoutOutput): PayoutOutput {
  return { address, valueSats }
}
