import { sign, signSchnorr } from '@bitcoinerlab/secp256k1'
import { taprootTweakPrivKey } from '@scure/btc-signer/utils.js'
import { script as bitcoinScript, payments, Transaction } from 'bitcoinjs-lib'
import { toSign } from '../../anchor/bip322.ts'

/** A serialised witness stack of items below 253 bytes. */
export function witnessOf(...items: Uint8Array[]): Uint8Array {
  return Uint8Array.from([items.length, ...items.flatMap((item) => [item.length, ...item])])
}

/** BIP-322 "simple" by the key of a BIP-86 output. */
export function signAsP2tr(
  message: string,
  script: Uint8Array,
  secretKey: Uint8Array,
  hashType: number = Transaction.SIGHASH_DEFAULT,
): Uint8Array {
  const digest = toSign(message, script).hashForWitnessV1(0, [script], [0n], hashType)
  const signature = signSchnorr(digest, taprootTweakPrivKey(secretKey))
  return witnessOf(
    hashType === Transaction.SIGHASH_DEFAULT ? signature : Uint8Array.of(...signature, hashType),
  )
}

/** BIP-322 "simple" by the key of a P2WPKH output. */
export function signAsP2wpkh(
  message: string,
  { script, secretKey, publicKey }: Record<'script' | 'secretKey' | 'publicKey', Uint8Array>,
  hashType: number = Transaction.SIGHASH_ALL,
): Uint8Array {
  const { output: scriptCode } = payments.p2pkh({ hash: script.subarray(2) })
  if (scriptCode === undefined) throw new Error('a P2PKH script')
  const digest = toSign(message, script).hashForWitnessV0(0, scriptCode, 0n, hashType)
  return witnessOf(bitcoinScript.signature.encode(sign(digest, secretKey), hashType), publicKey)
}
