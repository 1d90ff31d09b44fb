import assert from 'node:assert/strict'
import { verifySchnorr } from '@bitcoinerlab/secp256k1'
import { Transaction } from 'bitcoinjs-lib'

/** A coin as it stands in the chain. */
export interface Coin {
  script: Uint8Array
  valueSats: bigint
}

const SCHNORR_SIGNATURE_BYTES = 64

/**
 * Index of the first input whose witness is not one valid BIP-341 key-path signature over everything
 * (SIGHASH_DEFAULT), with `coins` in the inputs' order; -1 when all are good.
 */
export function findBadSignature(transaction: Transaction, coins: readonly Coin[]): number {
  assert.equal(coins.length, transaction.ins.length, 'one coin for each input')
  const scripts = coins.map((coin) => coin.script)
  const values = coins.map((coin) => coin.valueSats)
  return transaction.ins.findIndex((input, index) => {
    const [signature, ...more] = input.witness
    const outputKey = scripts[index]?.subarray(2)
    if (signature?.length !== SCHNORR_SIGNATURE_BYTES || more.length > 0 || outputKey === undefined)
      return true
    const digest = transaction.hashForWitnessV1(index, scripts, values, Transaction.SIGHASH_DEFAULT)
    return !verifySchnorr(digest, outputKey, signature)
  })
}
