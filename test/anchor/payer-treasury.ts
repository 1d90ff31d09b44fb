import { randomBytes } from 'node:crypto'
import { utils } from '@scure/btc-signer'
import type { Database } from 'better-sqlite3'
import type { Node } from '../../anchor/node.ts'
import { openPayer, type Payer } from '../../anchor/payer.ts'
import type { PayerPolicy } from '../../anchor/payer-policy.ts'
import type { PayoutAttempt, PayoutOutput, PayoutRecord } from '../../anchor/payout-record.ts'
import type { TreasuryCoin } from '../../anchor/payout-transaction.ts'
import { taprootAddress } from '../../anchor/taproot-address.ts'
import type { RegtestNode } from '../../regtest/start-bitcoind.ts'
import { openDatabase, youngNode } from './anchor-site.ts'

export const POLICY: PayerPolicy = {
  finalDepth: 3,
  targetBlocks: 6,
  floorSatPerKvb: 2_000n,
  ceilingSatPerKvb: 50_000n,
  capSats: 5_000n,
  feeShareBasisPoints: 10_000,
}
export interface Treasury {
  coins: TreasuryCoin[]
  address: string
  secretKey: Uint8Array
  /** `external`: the payer has no key but those of deposits. */
  open(changes?: {
    node?: Node
    policy?: Partial<PayerPolicy>
    db?: Database
    external?: boolean
    listCoins?: () => Promise<readonly TreasuryCoin[]>
  }): Payer
  [Symbol.dispose](): void
}

/** Coins of a fresh key, and a database for its payer. */
export async function openTreasury(bitcoind: RegtestNode, ...values: bigint[]): Promise<Treasury> {
  const secretKey = randomBytes(32)
  const address = taprootAddress(utils.pubSchnorr(secretKey), 'regtest')
  const coins: TreasuryCoin[] = []
  for (const valueSats of values)
    coins.push({ ...(await bitcoind.fund(address, valueSats)), valueSats, keyIndex: 0 })
  const db = openDatabase(':memory:')
  return {
    coins,
    address,
    secretKey,
    open: (changes = {}) =>
      openPayer({
        db: changes.db ?? db,
        node: changes.node ?? youngNode(bitcoind.rpc),
        network: 'regtest',
        keyAt: (index) =>
          index === 0
            ? { internalKey: utils.pubSchnorr(secretKey), secretKey: changes.external ? null : secretKey }
            : depositKeyAt(index),
        policy: { ...POLICY, ...changes.policy },
        listCoins: changes.listCoins ?? (async () => coins),
      }),
    [Symbol.dispose]: () => db.close(),
  }
}

/** Keys that the payer has at hand whoever signs for the treasury. */
export function depositKeyAt(index: number): { internalKey: Uint8Array; secretKey: Uint8Array } {
  const secretKey = new Uint8Array(32).fill(index)
  return { internalKey: utils.pubSchnorr(secretKey), secretKey }
}

/** Payees of fresh addresses. */
export function payees(...values: bigint[]): PayoutOutput[] {
  return values.map((valueSats) => ({
    address: taprootAddress(utils.pubSchnorr(randomBytes(32)), 'regtest'),
    valueSats,
  }))
}

export function onlyPayout(payer: Payer): PayoutRecord {
  const [record, ...others] = payer.payouts()
  if (record === undefined || others.length > 0) throw new Error(`${others.length} payouts too many`)
  return record
}

/** The transaction that stands for the payout now. */
export function paymentOf(record: PayoutRecord | undefined): PayoutAttempt & { raw: Uint8Array } {
  const { payment } = record ?? {}
  if (payment?.raw == null) throw new Error('not made, or not signed')
  return { ...payment, raw: payment.raw }
}
