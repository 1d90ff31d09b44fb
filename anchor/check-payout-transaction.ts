import assert from 'node:assert/strict'
import type { Transaction } from 'bitcoinjs-lib'
import { SEQUENCE } from './key-path-input.ts'
import { findBadSignature } from './key-path-signature.ts'
import { parseTransaction } from './parse-transaction.ts'
import type { KeyAt, Payment, TreasuryCoin } from './payout-transaction.ts'
import { taprootOutput } from './taproot-output.ts'

type PayoutCheckErrorCode =
  | 'transaction_malformed'
  | 'form_mismatch' // another version, or a lock time
  | 'input_mismatch' // other coins, another order, or not replaceable
  | 'output_mismatch' // other payees, amounts or order
  | 'change_mismatch'
  | 'fee_mismatch'
  | 'signature_invalid'

export class PayoutCheckError extends Error {
  override readonly name = 'PayoutCheckError'
  readonly code: PayoutCheckErrorCode

  constructor(code: PayoutCheckErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** What a payout was meant to be, from the ledger and the treasury, not from whoever built it. */
interface IntendedPayout {
  keyAt: KeyAt
  inputs: readonly TreasuryCoin[]
  outputs: readonly Payment[]
  changeScript: Uint8Array
  feeSats: bigint
}

const VERSION = 2

/**
 * Checks a signed payout against what was intended: coins, payees, amounts, change and fee, each in its place, and
 * every BIP-341 signature. Throws PayoutCheckError.
 */
export function checkPayoutTransaction(
  raw: Uint8Array,
  intended: IntendedPayout,
): { txid: string; vsize: number; changeVout: number; changeSats: bigint } {
  const transaction = parseTransaction(raw)
  if (transaction === null) throw new PayoutCheckError('transaction_malformed', 'not one whole transaction')
  if (transaction.version !== VERSION || transaction.locktime !== 0) {
    throw new PayoutCheckError(
      'form_mismatch',
      `version ${transaction.version}, lock time ${transaction.locktime}`,
    )
  }
  checkInputs(transaction, intended.inputs)
  const changeVout = checkOutputs(transaction, intended.outputs)
  const change = transaction.outs[changeVout]
  if (change === undefined || Buffer.compare(change.script, intended.changeScript) !== 0) {
    throw new PayoutCheckError('change_mismatch', `output ${changeVout} is not the change`)
  }
  const spentSats = intended.inputs.reduce((sum, { valueSats }) => sum + valueSats, 0n)
  const feeSats = transaction.outs.reduce((rest, { value }) => rest - value, spentSats)
  if (feeSats !== intended.feeSats) {
    throw new PayoutCheckError('fee_mismatch', `pays a fee of ${feeSats} sat, not ${intended.feeSats}`)
  }
  checkSignatures(transaction, intended)
  return { txid: transaction.getId(), vsize: transaction.virtualSize(), changeVout, changeSats: change.value }
}

function checkInputs(transaction: Transaction, coins: readonly TreasuryCoin[]): void {
  if (transaction.ins.length !== coins.length) {
    throw new PayoutCheckError('input_mismatch', `${transaction.ins.length} inputs, not ${coins.length}`)
  }
  for (const [index, { txid, vout }] of coins.entries()) {
    const input = transaction.ins[index]
    const spentTxid = input && Buffer.from(input.hash).reverse().toString('hex')
    if (
      spentTxid !== txid ||
      input?.index !== vout ||
      input.script.length > 0 ||
      input.sequence !== SEQUENCE
    ) {
      throw new PayoutCheckError(
        'input_mismatch',
        `input ${index} is not a replaceable spend of ${txid}:${vout}`,
      )
    }
  }
}

/** The index of the change output, the one after the payees. */
function checkOutputs(transaction: Transaction, payments: readonly Payment[]): number {
  if (transaction.outs.length !== payments.length + 1) {
    throw new PayoutCheckError(
      'output_mismatch',
      `${transaction.outs.length} outputs for ${payments.length} payees`,
    )
  }
  for (const [index, { script, valueSats }] of payments.entries()) {
    const output = transaction.outs[index]
    if (output?.value !== valueSats || Buffer.compare(output.script, script) !== 0) {
      throw new PayoutCheckError('output_mismatch', `output ${index} is not ${valueSats} sat to its payee`)
    }
  }
  return payments.length
}

function checkSignatures(transaction: Transaction, intended: IntendedPayout): void {
  const coins = intended.inputs.map(({ valueSats, keyIndex }) => {
    const script = taprootOutput(intended.keyAt(keyIndex).internalKey, null)
    assert(script !== null, 'a treasury key is a point on the curve')
    return { script, valueSats }
  })
  const bad = findBadSignature(transaction, coins)
  if (bad !== -1)
    throw new PayoutCheckError('signature_invalid', `input ${bad} is not signed by its treasury key`)
}
