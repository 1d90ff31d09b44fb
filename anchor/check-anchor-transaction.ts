import type { Transaction } from 'bitcoinjs-lib'
import type { Method, Outpoint } from './anchor-transaction.ts'
import { CommitmentError, opReturnScript, PAYLOAD_BYTES, parsePayload } from './commitment.ts'
import { parseTransaction } from './parse-transaction.ts'
import { taprootOutput } from './taproot-output.ts'

type AnchorCheckErrorCode =
  | 'transaction_malformed'
  | 'wrong_spender' // input 0 is not the seal
  | 'input_unexpected' // more than a seal and a top-up, or another top-up
  | 'op_return_missing'
  | 'op_return_double'
  | 'op_return_mismatch' // another payload, another form, or a value in it
  | 'op_return_unexpected' // method `taproot` has none
  | 'output_unexpected' // any output beside seal and payload
  | 'tweak_mismatch' // output 0 doesn't commit to this payload under this key

export class AnchorCheckError extends Error {
  override readonly name = 'AnchorCheckError'
  readonly code: AnchorCheckErrorCode

  constructor(code: AnchorCheckErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

export interface ExpectedAnchor {
  method: Method
  /** x-only, 32 bytes, from the log's genesis. */
  internalKey: Uint8Array
  /** The seal that input 0 must spend; left out when only the commitment is asked about. */
  spends?: Outpoint
  /** What input 1 must spend, null for none; left out where nobody knows. */
  topUp?: Outpoint | null
  payload: Uint8Array
}

const OP_RETURN = 0x6a
/** Seal and top-up. */
const MAX_INPUTS = 2

/**
 * Checks that a transaction, with or without its witnesses, is the anchor of `expected.payload`: input 0 is the
 * seal, output 0 the next seal, tweaked by the payload, and under `dual` the one other output says the same.
 * Anything more is refused, so two commitments can't both be proved. Signatures are the chain's business, and
 * version, sequences and value are left to the txid. Throws AnchorCheckError.
 */
export function checkAnchorTransaction(
  raw: Uint8Array,
  expected: ExpectedAnchor,
): { txid: string; outputSats: bigint; vsize: number } {
  const transaction = parse(raw)
  checkInputs(transaction, expected)
  checkDataOutput(transaction, expected)
  const [seal, ...others] = transaction.outs
  if (others.length > (expected.method === 'dual' ? 1 : 0)) {
    throw new AnchorCheckError('output_unexpected', `the anchor has ${transaction.outs.length} outputs`)
  }
  const script = taprootOutput(expected.internalKey, opReturnScript(expected.payload))
  if (seal === undefined || script === null || Buffer.compare(seal.script, script) !== 0) {
    throw new AnchorCheckError('tweak_mismatch', 'output 0 is not the internal key tweaked by the payload')
  }
  return { txid: transaction.getId(), outputSats: seal.value, vsize: transaction.virtualSize() }
}

/** The payload that stands in a dual anchor's OP_RETURN. Throws AnchorCheckError. */
export function readDualPayload(raw: Uint8Array): Uint8Array {
  const { script } = onlyDataOutput(parse(raw))
  const payload = script.slice(-PAYLOAD_BYTES)
  try {
    parsePayload(payload)
  } catch (cause) {
    if (!(cause instanceof CommitmentError)) throw cause
    throw new AnchorCheckError('op_return_mismatch', 'the OP_RETURN holds no payload', cause)
  }
  if (Buffer.compare(opReturnScript(payload), script) !== 0) {
    throw new AnchorCheckError('op_return_mismatch', 'the OP_RETURN holds more than a payload')
  }
  return payload
}

function parse(raw: Uint8Array): Transaction {
  const transaction = parseTransaction(raw)
  if (transaction === null) throw new AnchorCheckError('transaction_malformed', 'not one whole transaction')
  return transaction
}

function checkInputs(transaction: Transaction, { spends, topUp }: ExpectedAnchor): void {
  const { length } = transaction.ins
  if (length > MAX_INPUTS) throw new AnchorCheckError('input_unexpected', `the anchor has ${length} inputs`)
  if (spends !== undefined && !spendsAt(transaction, 0, spends)) {
    throw new AnchorCheckError(
      'wrong_spender',
      `input 0 does not spend the seal ${spends.txid}:${spends.vout}`,
    )
  }
  if (topUp === undefined) return
  if (topUp === null ? length > 1 : !spendsAt(transaction, 1, topUp)) {
    throw new AnchorCheckError('input_unexpected', 'input 1 is not the coin that was to refill the seal')
  }
}

export function spendsAt(transaction: Transaction, at: number, { txid, vout }: Outpoint): boolean {
  const input = transaction.ins[at]
  return input?.index === vout && Buffer.from(input.hash).reverse().toString('hex') === txid
}

function checkDataOutput(transaction: Transaction, expected: ExpectedAnchor): void {
  if (expected.method === 'taproot') {
    if (dataOutputs(transaction).length > 0) {
      throw new AnchorCheckError('op_return_unexpected', 'a taproot anchor has no OP_RETURN')
    }
    return
  }
  const { script, value } = onlyDataOutput(transaction)
  if (value !== 0n || Buffer.compare(script, opReturnScript(expected.payload)) !== 0) {
    throw new AnchorCheckError('op_return_mismatch', 'the OP_RETURN is not this payload with value 0')
  }
}

function onlyDataOutput(transaction: Transaction): Transaction['outs'][number] {
  const [only, ...more] = dataOutputs(transaction)
  if (only === undefined) throw new AnchorCheckError('op_return_missing', 'a dual anchor has an OP_RETURN')
  if (more.length > 0) throw new AnchorCheckError('op_return_double', 'a dual anchor has one OP_RETURN')
  return only
}

function dataOutputs(transaction: Transaction): Transaction['outs'] {
  return transaction.outs.filter((output) => output.script[0] === OP_RETURN)
}
