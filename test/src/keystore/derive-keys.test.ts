import { HDKey } from '@scure/bip32'
import { p2tr } from '@scure/btc-signer'
import { pubSchnorr } from '@scure/btc-signer/utils.js'
import { expect, test } from 'vitest'
import { networkOf } from '../../../anchor/network.ts'
import { bip85Entropy, depositKey, deriveKeys, MAX_DEPOSIT_KEYS } from '../../../src/keystore/derive-keys.ts'
import { proctorKey } from '../../../src/keystore/proctor-key.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** The mnemonic, key and address of BIP-86's "Test vectors". */
const BIP86 = {
  mnemonic: 'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about',
  internalKey: 'cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115',
  address: 'bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr',
}

/** BIP-85, "HEX". */
const BIP85 = {
  root: 'xprv9s21ZrQH143K2LBWUUQRFXhucrQqBpKdRRxNVq2zBqsx8HVqFk2uYo8kmbaLLHRdqtQpUm98uKfu3vca1LqdGhUtyoFnCNkfmXRyPXLjbKb',
  entropy:
    '492db4698cf3b73a5a24998aa3e9d7fa96275d85724a91e71aa2d645442f878555d078fd1f1f67e368976f04137b1f7a0d19232136ca50c44614af72b5582a5c',
}

test("the anchor key is BIP-86's first receiving key and gives its address", () => {
  const { anchor } = deriveKeys(BIP86.mnemonic, 'mainnet')
  expect(hex(anchor.internalKey)).toBe(BIP86.internalKey)
  expect(p2tr(anchor.internalKey, undefined, networkOf('mainnet').scure).address).toBe(BIP86.address)
})

test("child entropy is BIP-85's", () => {
  expect(hex(bip85Entropy(HDKey.fromExtendedKey(BIP85.root), 64, 0))).toBe(BIP85.entropy)
})

test('public keys belong to their secret keys', () => {
  const { anchor, treasury, auditor } = deriveKeys(BIP86.mnemonic, 'regtest')
  for (const key of [anchor, treasury]) {
    expect(hex(pubSchnorr(key.secretKey))).toBe(hex(key.internalKey))
  }
  expect(hex(pubSchnorr(auditor.secretKey))).toBe(hex(auditor.publicKey))
})

test('every key differs from every other, on a test network too', () => {
  const secrets = (['mainnet', 'regtest'] as const).flatMap((network) => {
    const keys = deriveKeys(BIP86.mnemonic, network)
    const proctors = [0, 1].map((index) => proctorKey(keys.proctorSeed, network, index))
    const { anchor, treasury, auditor, logSeed } = keys
    const own = [anchor.secretKey, treasury.secretKey, auditor.secretKey, logSeed]
    return [...own, ...proctors.map(({ secretKey }) => secretKey)].map(hex)
  })
  expect(new Set(secrets).size).toBe(12)
})

/** BIP-86's vector for the second receiving key is m/86'/0'/0'/0/1; ours stands in account 1, so only the form is theirs. */
test("deposit keys are the treasury account's receiving keys from 1 on", () => {
  const { treasury, deposits } = deriveKeys(BIP86.mnemonic, 'mainnet')
  const chain = HDKey.fromExtendedKey(deposits.extendedPublicKey)
  const child = (index: number) => hex(chain.deriveChild(index).publicKey ?? new Uint8Array()).slice(2)
  expect(child(0)).toBe(hex(treasury.internalKey))
  for (const number of [1, 2, MAX_DEPOSIT_KEYS]) {
    const { internalKey, secretKey } = depositKey(deposits, number)
    expect(hex(internalKey)).toBe(child(number))
    expect(hex(pubSchnorr(secretKey))).toBe(child(number))
  }
  expect(() => depositKey(deposits, 0)).toThrow()
  expect(() => depositKey(deposits, MAX_DEPOSIT_KEYS + 1)).toThrow()
})

test('the extended key that bitcoind watches is in the version of its network, and public', () => {
  expect(deriveKeys(BIP86.mnemonic, 'mainnet').deposits.extendedPublicKey).toMatch(/^xpub/)
  expect(deriveKeys(BIP86.mnemonic, 'regtest').deposits.extendedPublicKey).toMatch(/^tpub/)
})
