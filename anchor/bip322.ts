/** Signed messages of addresses (BIP-322, format "simple"), for outputs of one key: P2WPKH and P2TR by its key path. */
import { createHash } from 'node:crypto'
import { verify, verifySchnorr } from '@bitcoinerlab/secp256k1'
import { script as bitcoinScript, crypto, payments, Transaction } from 'bitcoinjs-lib'
import { MAX_SIGNATURE_BYTES } from './signed-message.ts'

const TAG = createHash('sha256').update('BIP0322-signed-message').digest()
const OP_RETURN = 0x6a
const VERSION = 0
const NO_OUTPUT = 0xffff_ffff

/** The witness stack in a signature's text: base64, since 2025 behind the prefix `smp`. Null for other text. */
export function parseSignedMessage(text: string): Uint8Array | null {
  const base64 = text.replace(/^smp/, '')
  const bytes = Buffer.from(base64, 'base64')
  return bytes.toString('base64') === base64 ? new Uint8Array(bytes) : null
}

/** Whether messages of that output script can be checked here. */
export function canCheckMessages(script: Uint8Array): boolean {
  return isP2wpkh(script) || isP2tr(script)
}

/**
 * Whether `signature`, a serialised witness stack, is that of `message` by the one key behind `script`. False for every
 * script of another form.
 */
export function checkSignedMessage(message: string, script: Uint8Array, signature: Uint8Array): boolean {
  const witness = parseWitness(signature)
  if (witness === null) return false
  try {
    if (isP2wpkh(script)) return checkP2wpkh(toSign(message, script), script, witness)
    return isP2tr(script) && checkP2tr(toSign(message, script), script, witness)
  } catch {
    return false // the libraries throw where the BIP says "invalid": keys off the curve, bad DER
  }
}

/** The two virtual transactions of the BIP: the second, which is signed, spends the first. */
export function toSpend(message: string, script: Uint8Array): Transaction {
  const hash = createHash('sha256').update(TAG).update(TAG).update(message, 'utf8').digest()
  const transaction = new Transaction()
  transaction.version = VERSION
  transaction.addInput(new Uint8Array(32), NO_OUTPUT, 0, Uint8Array.from([0, 32, ...hash]))
  transaction.addOutput(script, 0n)
  return transaction
}

export function toSign(message: string, script: Uint8Array): Transaction {
  const transaction = new Transaction()
  transaction.version = VERSION
  transaction.addInput(toSpend(message, script).getHash(), 0, 0)
  transaction.addOutput(Uint8Array.of(OP_RETURN), 0n)
  return transaction
}

/** BIP-143, SIGHASH_ALL, a key that hashes to the program, a strict low-S DER signature. */
function checkP2wpkh(transaction: Transaction, script: Uint8Array, witness: readonly Uint8Array[]): boolean {
  const [encoded, key, ...more] = witness
  if (encoded === undefined || key === undefined || more.length > 0 || key.length !== 33) return false
  const program = script.subarray(2)
  if (Buffer.compare(crypto.hash160(key), program) !== 0) return false
  const { signature, hashType } = bitcoinScript.signature.decode(encoded)
  const { output: scriptCode } = payments.p2pkh({ hash: program })
  if (hashType !== Transaction.SIGHASH_ALL || scriptCode === undefined) return false
  const digest = transaction.hashForWitnessV0(0, scriptCode, 0n, hashType)
  const isStrict = true
  return verify(digest, key, signature, isStrict)
}

/** BIP-341's key path: SIGHASH_DEFAULT, or SIGHASH_ALL written out. */
function checkP2tr(transaction: Transaction, script: Uint8Array, witness: readonly Uint8Array[]): boolean {
  const [signature, ...more] = witness
  if (signature === undefined || more.length > 0) return false
  const hashType = signature.length === 64 ? Transaction.SIGHASH_DEFAULT : signature[64]
  if (
    signature.length > 65 ||
    (hashType !== Transaction.SIGHASH_DEFAULT && hashType !== Transaction.SIGHASH_ALL)
  ) {
    return false
  }
  // A written-out SIGHASH_DEFAULT is invalid (BIP-341).
  if (signature.length === 65 && hashType === Transaction.SIGHASH_DEFAULT) return false
  const digest = transaction.hashForWitnessV1(0, [script], [0n], hashType)
  return verifySchnorr(digest, script.subarray(2), signature.subarray(0, 64))
}

function isP2wpkh(script: Uint8Array): boolean {
  return script.length === 22 && script[0] === 0 && script[1] === 20
}

function isP2tr(script: Uint8Array): boolean {
  return script.length === 34 && script[0] === 0x51 && script[1] === 32
}

/** The items of a serialised witness stack, each below 253 bytes; null for other bytes. */
function parseWitness(bytes: Uint8Array): Uint8Array[] | null {
  if (bytes.length > MAX_SIGNATURE_BYTES) return null
  const items: Uint8Array[] = []
  let at = 1
  for (let left = bytes[0] ?? 0; left > 0; left -= 1) {
    const length = bytes[at]
    if (length === undefined || at + 1 + length > bytes.length) return null
    items.push(bytes.subarray(at + 1, at + 1 + length))
    at += 1 + length
  }
  return at === bytes.length ? items : null
}
