import assert from 'node:assert/strict'
import { RawTx, Transaction, utils } from '@scure/btc-signer'
import { RawOldTx } from '@scure/btc-signer/script.js'
import { sha256x2 } from '@scure/btc-signer/utils.js'
import { opReturnScript, sealScript } from './commitment.ts'
import { P2TR_DUST_SATS } from './dust.ts'
import { keyPathInput } from './key-path-input.ts'

/** `dual`: the payload in one OP_RETURN and in output 0's tweak. `taproot`: in the tweak alone. */
export type Method = 'dual' | 'taproot'

export interface Outpoint {
  /** Hex as bitcoind shows it. */
  txid: string
  vout: number
}

/** The one coin that the next anchor spends. `payload` is null for the first seal, a BIP-86 output. */
export interface Seal extends Outpoint {
  valueSats: bigint
  payload: Uint8Array | null
}

/** A coin of the anchor key's BIP-86 address that refills the seal. */
export interface TopUp extends Outpoint {
  valueSats: bigint
}

export class AnchorBuildError extends Error {
  override readonly name = 'AnchorBuildError'
  readonly code: 'seal_too_small' | 'top_up_is_seal' | 'transaction_malformed'

  constructor(code: AnchorBuildError['code'], message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

/** Weights of the parts, all fixed: P2TR key-path inputs with 64-byte signatures, P2TR and OP_RETURN outputs. */
const TAPROOT_WEIGHT = 444
const DATA_OUTPUT_WEIGHT = 204
const TOP_UP_INPUT_WEIGHT = 230

/** Virtual size of a signed anchor in vB (BIP-141). */
export function anchorVsize(method: Method, hasTopUp: boolean): number {
  const data = method === 'dual' ? DATA_OUTPUT_WEIGHT : 0
  return Math.ceil((TAPROOT_WEIGHT + data + (hasTopUp ? TOP_UP_INPUT_WEIGHT : 0)) / 4)
}

interface AnchorPlan {
  method: Method
  /** 32 bytes; its x-only public key is the internal key of every seal. */
  secretKey: Uint8Array
  seal: Seal
  /** Input 1, if there is one. */
  topUp?: TopUp | null
  payload: Uint8Array
  feeSats: bigint
}

/**
 * The signed anchor that spends `seal` and leaves the next seal as output 0. Signatures are randomised, so the
 * bytes of two calls differ while the txid does not: keep the bytes. Throws AnchorBuildError.
 */
export function buildAnchorTransaction(plan: AnchorPlan): {
  txid: string
  raw: Uint8Array
  vsize: number
  seal: Seal
} {
  const { method, secretKey, seal, topUp = null, payload, feeSats } = plan
  assert(feeSats >= 0n, `fee: ${feeSats} sat`)
  if (topUp !== null && topUp.txid === seal.txid && topUp.vout === seal.vout) {
    throw new AnchorBuildError('top_up_is_seal', `the top-up ${topUp.txid}:${topUp.vout} is the seal itself`)
  }
  const valueSats = seal.valueSats + (topUp?.valueSats ?? 0n) - feeSats
  if (valueSats < P2TR_DUST_SATS) {
    const message = `the fee of ${feeSats} sat leaves ${valueSats} sat in the seal, dust is below ${P2TR_DUST_SATS}`
    throw new AnchorBuildError('seal_too_small', message)
  }
  const internalKey = utils.pubSchnorr(secretKey)
  const transaction = new Transaction({ allowUnknownOutputs: true }) // OP_RETURN is unknown to scure
  transaction.addInput(keyPathInput(seal, internalKey))
  if (topUp !== null) transaction.addInput(keyPathInput({ ...topUp, payload: null }, internalKey))
  transaction.addOutput({ script: sealScript(internalKey, payload), amount: valueSats })
  if (method === 'dual') transaction.addOutput({ script: opReturnScript(payload), amount: 0n })
  transaction.sign(secretKey)
  transaction.finalize()
  assert.equal(transaction.vsize, anchorVsize(method, topUp !== null))
  const { id: txid, vsize } = transaction
  return { txid, raw: transaction.extract(), vsize, seal: { txid, vout: 0, valueSats, payload } }
}

/** The bytes that a txid commits to: without marker, flag and witnesses. Throws AnchorBuildError. */
export function stripWitness(raw: Uint8Array): Uint8Array {
  try {
    const { version, inputs, outputs, lockTime } = RawTx.decode(raw)
    return RawOldTx.encode({ version, inputs, outputs, lockTime })
  } catch (cause) {
    throw new AnchorBuildError('transaction_malformed', 'the transaction cannot be parsed', cause)
  }
}

/** Transaction id, hex as bitcoind shows it, with or without witnesses in `raw`. Throws AnchorBuildError. */
export function txidOf(raw: Uint8Array): string {
  return Buffer.from(sha256x2(stripWitness(raw)))
    .reverse()
    .toString('hex')
}
