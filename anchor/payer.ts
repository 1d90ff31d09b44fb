import { isDeepStrictEqual } from 'node:util'
import { utils } from '@scure/btc-signer'
import type { Database } from 'better-sqlite3'
import { parseAddress } from './address.ts'
import { advancePayout } from './advance-payout.ts'
import { checkPayoutTransaction } from './check-payout-transaction.ts'
import { chooseCoins } from './choose-coins.ts'
import { sealScript } from './commitment.ts'
import { anchorFee, type FeeLimits } from './fee.ts'
import { inTurn } from './in-turn.ts'
import type { NetworkName } from './network.ts'
import type { Node } from './node.ts'
import { PayerError } from './payer-error.ts'
import { openPayerStore } from './payer-store.ts'
import type { PayoutOutput, PayoutRecord } from './payout-record.ts'
import { buildPayoutTransaction, payoutVsize, type TreasuryCoin } from './payout-transaction.ts'

export type { PayoutRecord } from './payout-record.ts'
export type Coin = TreasuryCoin

export interface PayerPolicy extends FeeLimits {
  /** Confirmations from which a payout is never judged again. */
  finalDepth: number
  /** For the node's fee estimate. */
  targetBlocks: number
}

interface PayerOptions {
  /** Reads integers as bigint, commits with full sync. Stays the caller's. */
  db: Database
  node: Node
  network: NetworkName
  /** 32 bytes; all coins are BIP-86 outputs of it. */
  secretKey: Uint8Array
  changeAddress: string
  policy: PayerPolicy
  /** Candidates; each is looked up in the node before it is taken. */
  listCoins: () => Promise<readonly Coin[]>
}

/**
 * Pays lists of outputs from the treasury, each exactly once: pin → persist → sign → persist the final bytes →
 * broadcast → confirm → settle. Calls run one after the other. All may throw RpcError and NodeError.
 */
export interface Payer {
  /**
   * Takes coins for a payout of that total, its highest fee and a change output, for good; the first is THE pinned
   * input. The same call again gives the same coins. Throws PayerError `insufficient_funds`, `payout_differs`,
   * `node_syncing`.
   */
  pin(id: string, totalSats: bigint): Promise<Coin[]>
  /**
   * Signs the payout once and keeps the bytes; sends nothing. The same call again does nothing. Throws PayerError
   * `payout_unknown`, `payout_differs`, `fee_stalled`; AddressError, PayoutBuildError.
   */
  prepare(id: string, outputs: readonly PayoutOutput[]): Promise<void>
  /** Judges every payout that isn't settled at the present tip, and sends again what the node lost. Idempotent. */
  advance(): Promise<void>
  /** Oldest first. */
  payouts(): PayoutRecord[]
}

export function openPayer(options: PayerOptions): Payer {
  const { db, node, network, secretKey, policy, listCoins } = options
  const store = openPayerStore(db)
  const internalKey = utils.pubSchnorr(secretKey)
  const treasuryScript = sealScript(internalKey, null)
  const change = parseAddress(options.changeAddress, network)
  const queue = inTurn()

  async function pin(id: string, totalSats: bigint): Promise<Coin[]> {
    const known = store.get(id)
    if (known !== null) {
      if (known.totalSats === totalSats) return known.inputs
      throw differs(id, `it was pinned for ${known.totalSats} sat, not ${totalSats}`)
    }
    if ((await node.chain()).initialBlockDownload) {
      throw new PayerError('node_syncing', 'the node is still catching up: no coin can be taken')
    }
    // The outputs, so the size, so the fee come later: the highest fee that the policy allows is set aside.
    const neededSats = totalSats + policy.capSats + change.dustSats
    const candidates = (await listCoins()).filter((coin) => !store.isPinned(coin))
    const coins = await chooseCoins(node, candidates, treasuryScript, neededSats)
    store.pin(id, totalSats, coins)
    return coins
  }

  async function prepare(id: string, outputs: readonly PayoutOutput[]): Promise<void> {
    const known = store.get(id)
    if (known === null) throw new PayerError('payout_unknown', `payout ${id} has no pinned input`)
    const totalSats = outputs.reduce((sum, { valueSats }) => sum + valueSats, 0n)
    if (known.totalSats !== totalSats) {
      throw differs(id, `it was pinned for ${known.totalSats} sat, its outputs sum to ${totalSats}`)
    }
    if (known.state === 'pinned') return build(known, outputs)
    if (!isDeepStrictEqual(known.outputs, outputs.map(plain)))
      throw differs(id, 'it was prepared for other outputs')
  }

  async function build({ id, inputs }: PayoutRecord, outputs: readonly PayoutOutput[]): Promise<void> {
    const payments = outputs.map(({ address, valueSats }) => ({
      script: parseAddress(address, network).script,
      valueSats,
    }))
    const scripts = payments.map(({ script }) => script)
    const { script: changeScript } = change
    const feeSats = await price(payoutVsize(inputs.length, scripts, changeScript))
    const { height: sinceHeight } = await node.chain()
    const { raw } = buildPayoutTransaction({ secretKey, inputs, outputs: payments, changeScript, feeSats })
    const intended = { internalKey, inputs, outputs: payments, changeScript, feeSats }
    const { txid, vsize, changeSats } = checkPayoutTransaction(raw, intended)
    store.keepBuilt(id, { txid, raw, vsize, feeSats, changeSats, sinceHeight, outputs })
  }

  async function price(vsize: number): Promise<bigint> {
    const { floorSatPerKvb, ceilingSatPerKvb, capSats } = policy
    const market = await node.feeMarket(policy.targetBlocks)
    const answer = anchorFee({ ...market, floorSatPerKvb, ceilingSatPerKvb, capSats, vsize })
    if (answer.kind === 'fee') return answer.feeSats
    const { neededSats, reason } = answer
    throw new PayerError('fee_stalled', `${reason}: a fee of ${neededSats} sat is needed`, { neededSats })
  }

  async function advance(): Promise<void> {
    for (const payout of store.open()) await advancePayout(node, store, payout, policy.finalDepth)
  }

  return {
    pin: (id, totalSats) => queue(() => pin(id, totalSats)),
    prepare: (id, outputs) => queue(() => prepare(id, outputs)),
    advance: () => queue(advance),
    payouts: () => store.all(),
  }
}

function differs(id: string, why: string): PayerError {
  return new PayerError('payout_differs', `payout ${id}: ${why}`)
}

function plain({ address, valueSats }: PayoutOutput): PayoutOutput {
  return { address, valueSats }
}
