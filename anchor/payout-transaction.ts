import assert from 'node:assert/strict'
import { Transaction } from '@scure/btc-signer'
import type { Outpoint } from './anchor-transaction.ts'
import { keyPathInput } from './key-path-input.ts'
import { dustSatsOf } from './payable-script.ts'

/** A BIP-86 coin of one of the treasury's keys. */
export interface TreasuryCoin extends Outpoint {
  valueSats: bigint
  /** Whose output it is, for `KeyAt`. */
  keyIndex: number
}

/** The treasury's keys: 0 is the one that change goes to, the others receive deposits. */
export type KeyAt = (keyIndex: number) => TreasuryKey

interface TreasuryKey {
  /** x-only, 32 bytes. */
  internalKey: Uint8Array
  /** 32 bytes; null where somebody else signs. */
  secretKey: Uint8Array | null
}

export interface Payment {
  script: Uint8Array
  valueSats: bigint
}

type PayoutBuildErrorCode =
  | 'funds_short' // the coins don't pay outputs, fee and a change output above dust
  | 'output_dust'
  | 'script_unpayable' // a form of script that this program pays nobody in
  | 'input_repeated'
  | 'transaction_too_large'

export class PayoutBuildError extends Error {
  override readonly name = 'PayoutBuildError'
  readonly code: PayoutBuildErrorCode

  constructor(code: PayoutBuildErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

interface PayoutPlan {
  keyAt: KeyAt
  /** Spent in this order; the first is the payout's pinned input. */
  inputs: readonly TreasuryCoin[]
  /** Paid in this order, before the change. */
  outputs: readonly Payment[]
  changeScript: Uint8Array
  feeSats: bigint
}

/** A payout that nobody has signed. Taproot inputs alone: signing changes neither txid nor size. */
interface PlannedPayout {
  txid: string
  vsize: number
  changeVout: number
  changeSats: bigint
}

/** 400,000 weight units: nodes relay nothing larger (Bitcoin Core, policy/policy.h). */
const MAX_PAYOUT_VSIZE = 100_000
/** Version, lock time and the segwit marker, without the two counts (BIP-141). */
const FIXED_WEIGHT = 4 * 8 + 2
/** Outpoint, empty script, sequence; and a witness of one 64-byte signature. */
const INPUT_WEIGHT = 4 * 41 + 66

/** Virtual size of a signed payout in vB (BIP-141), change output included. */
export function payoutVsize(
  inputCount: number,
  outputScripts: readonly Uint8Array[],
  changeScript: Uint8Array,
): number {
  const scripts = [...outputScripts, changeScript]
  const outputBytes = scripts.reduce((sum, { length }) => sum + 8 + countBytes(length) + length, 0)
  const counts = countBytes(inputCount) + countBytes(scripts.length)
  return Math.ceil((FIXED_WEIGHT + inputCount * INPUT_WEIGHT + 4 * (counts + outputBytes)) / 4)
}

/**
 * A PSBT, version 0 (BIP-174), with each coin and its internal key (BIP-371): signed for the keys that are at hand, for
 * somebody else to sign the rest. Throws PayoutBuildError.
 */
export function payoutPsbt(plan: PayoutPlan): Uint8Array {
  return signed(plan).transaction.toPSBT(0)
}

/**
 * The payout: these inputs, these outputs, in this order, then always a change output, so that the payout can be bumped by
 * a child. Signatures are randomised: keep the bytes, which are null where a key isn't at hand. Throws PayoutBuildError.
 */
export function buildPayoutTransaction(plan: PayoutPlan): PlannedPayout & { raw: Uint8Array | null } {
  const { transaction, isWhole } = signed(plan)
  const planned = described(transaction, plan)
  if (!isWhole) return { ...planned, raw: null }
  transaction.finalize()
  assert.equal(transaction.vsize, planned.vsize)
  return { ...planned, raw: transaction.extract() }
}

/** For the keys that are at hand: `isWhole` where that is all of them. */
function signed(plan: PayoutPlan): { transaction: Transaction; isWhole: boolean } {
  const transaction = unsigned(plan)
  let isWhole = true
  for (const [index, { keyIndex }] of plan.inputs.entries()) {
    const { secretKey } = plan.keyAt(keyIndex)
    if (secretKey === null) isWhole = false
    else transaction.signIdx(secretKey, index)
  }
  return { transaction, isWhole }
}

function unsigned(plan: PayoutPlan): Transaction {
  const { keyAt, inputs, outputs, changeScript, feeSats } = plan
  assert(feeSats >= 0n, `fee: ${feeSats} sat`)
  assert(inputs.length > 0, 'a payout spends at least its pinned input')
  checkInputs(inputs)
  for (const output of outputs) checkOutput(output)
  const vsize = vsizeOf(plan)
  if (vsize > MAX_PAYOUT_VSIZE) throw new PayoutBuildError('transaction_too_large', `${vsize} vB`)
  const amount = changeOf(plan)
  if (amount < dustLimit(changeScript)) {
    throw new PayoutBuildError('funds_short', `${amount} sat would be left for the change output`)
  }
  // Each script was checked above; scure would take every one apart twice more, 1 ms each.
  const transaction = new Transaction({ allowUnknownOutputs: true, disableScriptCheck: true })
  for (const coin of inputs) {
    transaction.addInput(keyPathInput({ ...coin, payload: null }, keyAt(coin.keyIndex).internalKey))
  }
  for (const output of outputs) transaction.addOutput({ script: output.script, amount: output.valueSats })
  transaction.addOutput({ script: changeScript, amount })
  return transaction
}

function described({ id: txid }: Transaction, plan: PayoutPlan): PlannedPayout {
  return { txid, vsize: vsizeOf(plan), changeVout: plan.outputs.length, changeSats: changeOf(plan) }
}

function vsizeOf({ inputs, outputs, changeScript }: PayoutPlan): number {
  const scripts = outputs.map(({ script }) => script)
  return payoutVsize(inputs.length, scripts, changeScript)
}

function changeOf({ inputs, outputs, feeSats }: PayoutPlan): bigint {
  return sumSats(inputs) - sumSats(outputs) - feeSats
}

function checkInputs(inputs: readonly TreasuryCoin[]): void {
  const seen = new Set(inputs.map(({ txid, vout }) => `${txid}:${vout}`))
  if (seen.size < inputs.length) throw new PayoutBuildError('input_repeated', 'a coin can be spent once')
}

function checkOutput({ script, valueSats }: Payment): void {
  const limit = dustLimit(script)
  if (valueSats < limit) {
    throw new PayoutBuildError('output_dust', `an output of ${valueSats} sat, where dust is below ${limit}`)
  }
}

function dustLimit(script: Uint8Array): bigint {
  const limit = dustSatsOf(script)
  if (limit === null) {
    throw new PayoutBuildError('script_unpayable', `nobody is paid in ${Buffer.from(script).toString('hex')}`)
  }
  return limit
}

function sumSats(coins: readonly { valueSats: bigint }[]): bigint {
  return coins.reduce((sum, { valueSats }) => sum + valueSats, 0n)
}

/** Bytes of a CompactSize below 2^16; no count or script in a relayed transaction is larger. */
function countBytes(count: number): number {
  return count < 253 ? 1 : 3
}
