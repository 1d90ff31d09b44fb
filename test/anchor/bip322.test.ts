import { pointFromScalar, sign } from '@bitcoinerlab/secp256k1'
import { utils } from '@scure/btc-signer'
import { script as bitcoinScript, crypto, payments, Transaction } from 'bitcoinjs-lib'
import { describe, expect, test } from 'vitest'
import { parseAddress } from '../../anchor/address.ts'
import {
  canCheckMessages,
  checkSignedMessage,
  parseSignedMessage,
  toSign,
  toSpend,
} from '../../anchor/bip322.ts'
import { sealScript } from '../../anchor/commitment.ts'
import vectors from '../vectors/bip322.json' with { type: 'json' }
import { signAsP2tr, signAsP2wpkh, witnessOf } from './sign-message.ts'

const scriptOf = (address: string) => parseAddress(address, 'mainnet').script
const secretKey = new Uint8Array(32).fill(7)
const publicKey = pointFromScalar(secretKey) ?? new Uint8Array()
const p2tr = sealScript(utils.pubSchnorr(secretKey), null)
const p2wpkh = Uint8Array.of(0, 20, ...crypto.hash160(publicKey))
const keys = { script: p2wpkh, secretKey, publicKey }

/** As its owner would hand it over. */
function holds({
  message,
  address,
  signature,
}: {
  message: string
  address: string
  signature: string
}): boolean {
  const witness = parseSignedMessage(signature)
  return witness !== null && checkSignedMessage(message, scriptOf(address), witness)
}

describe('vectors of the BIP', () => {
  test.each(vectors.hashes)('“$message” makes its two transactions', ({ message, address, ...ids }) => {
    expect(toSpend(message, scriptOf(address)).getId()).toBe(ids.toSpend)
    expect(toSign(message, scriptOf(address)).getId()).toBe(ids.toSign)
  })
  test.each(vectors.valid)('“$message” by $address holds', (vector) => expect(holds(vector)).toBe(true))
  test.each(vectors.invalid)('$why does not', (vector) => expect(holds(vector)).toBe(false))
})

describe('a message that was signed here', () => {
  const cases = [
    { form: 'P2TR', script: p2tr, signature: signAsP2tr('pay me', p2tr, secretKey) },
    {
      form: 'P2TR with SIGHASH_ALL written out',
      script: p2tr,
      signature: signAsP2tr('pay me', p2tr, secretKey, Transaction.SIGHASH_ALL),
    },
    { form: 'P2WPKH', script: p2wpkh, signature: signAsP2wpkh('pay me', keys) },
  ]
  test.each(cases)('holds as $form, for this message and this script', ({ script, signature }) => {
    expect(canCheckMessages(script)).toBe(true)
    expect(checkSignedMessage('pay me', script, signature)).toBe(true)
    expect(checkSignedMessage('pay me!', script, signature)).toBe(false)
    const other = script.with(-1, (script.at(-1) ?? 0) ^ 1)
    expect(checkSignedMessage('pay me', other, signature)).toBe(false)
  })

  test.each(cases)(
    'as $form holds no more with any bit flipped, cut or lengthened',
    ({ script, signature }) => {
      for (const at of signature.keys()) {
        const flipped = signature.with(at, (signature[at] ?? 0) ^ 1)
        expect(checkSignedMessage('pay me', script, flipped), `byte ${at}`).toBe(false)
        expect(checkSignedMessage('pay me', script, signature.slice(0, at)), `to byte ${at}`).toBe(false)
      }
      expect(checkSignedMessage('pay me', script, Uint8Array.of(...signature, 0))).toBe(false)
    },
  )

  test.each([
    Transaction.SIGHASH_NONE,
    Transaction.SIGHASH_SINGLE,
    Transaction.SIGHASH_ALL | Transaction.SIGHASH_ANYONECANPAY,
  ])('does not hold with hash type %i', (hashType) => {
    expect(checkSignedMessage('pay me', p2wpkh, signAsP2wpkh('pay me', keys, hashType))).toBe(false)
    expect(checkSignedMessage('pay me', p2tr, signAsP2tr('pay me', p2tr, secretKey, hashType))).toBe(false)
  })

  test('does not hold with a high S, or with SIGHASH_DEFAULT written out', () => {
    const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const { output = new Uint8Array() } = payments.p2pkh({ hash: p2wpkh.subarray(2) })
    const digest = toSign('pay me', p2wpkh).hashForWitnessV0(0, output, 0n, Transaction.SIGHASH_ALL)
    const low = sign(digest, secretKey)
    const s = ORDER - BigInt(`0x${Buffer.from(low.subarray(32)).toString('hex')}`)
    const high = Buffer.concat([low.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')])
    const encoded = bitcoinScript.signature.encode(high, Transaction.SIGHASH_ALL)
    expect(checkSignedMessage('pay me', p2wpkh, witnessOf(encoded, publicKey))).toBe(false)
    const plain = signAsP2tr('pay me', p2tr, secretKey).subarray(2)
    expect(checkSignedMessage('pay me', p2tr, witnessOf(Uint8Array.of(...plain, 0)))).toBe(false)
  })

  test('is checked for outputs of one key alone', () => {
    for (const address of [
      '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
      '3P14159f73E4gFr7JterCCQh9QjiTjiZrG',
      'bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3',
    ]) {
      expect(canCheckMessages(scriptOf(address))).toBe(false)
    }
  })

  test('is read from canonical base64 alone', () => {
    expect(parseSignedMessage('smpAA==')).toEqual(Uint8Array.of(0))
    expect(parseSignedMessage('AB==')).toBeNull()
    expect(parseSignedMessage('AA')).toBeNull()
  })
})
