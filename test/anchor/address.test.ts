import * as ecc from '@bitcoinerlab/secp256k1'
import { p2pkh, p2sh, p2tr, p2wpkh, p2wsh, utils } from '@scure/btc-signer'
import { address, initEccLib } from 'bitcoinjs-lib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseAddress } from '../../anchor/address.ts'
import { NETWORK_NAMES, networkOf } from '../../anchor/network.ts'
import { dustSatsOf } from '../../anchor/payable-script.ts'

initEccLib(ecc) // bitcoinjs needs it to read P2TR addresses

const refusal = (code: string) => expect.objectContaining({ name: 'AddressError', code })
const secretKeys = fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((key) => ecc.isPrivate(key))

describe('parseAddress', () => {
  it('finds the script that bitcoinjs finds, on every network, for every paid form', () => {
    fc.assert(
      fc.property(secretKeys, fc.constantFrom(...NETWORK_NAMES), (secretKey, name) => {
        const { scure, bitcoinjs } = networkOf(name)
        const key = ecc.pointFromScalar(secretKey, true) ?? new Uint8Array()
        const payments = [
          [p2pkh(key, scure), 546n],
          [p2sh(p2wpkh(key, scure), scure), 540n],
          [p2wpkh(key, scure), 294n],
          [p2wsh(p2pkh(key, scure), scure), 330n],
          [p2tr(utils.pubSchnorr(secretKey), undefined, scure), 330n],
        ] as const
        for (const [payment, dustSats] of payments) {
          expect(parseAddress(payment.address, name)).toEqual({ script: payment.script, dustSats })
          expect(address.toOutputScript(payment.address, bitcoinjs)).toEqual(payment.script)
        }
      }),
      { numRuns: 8 },
    )
  })

  it('reads bech32 in upper case (BIP-173)', () => {
    const text = 'bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr' // BIP-86, first address
    expect(parseAddress(text.toUpperCase(), 'mainnet')).toEqual(parseAddress(text, 'mainnet'))
  })

  it.each([
    ['bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr', 'regtest', 'mainnet'],
    ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', 'signet', 'mainnet'],
    ['tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx', 'mainnet', 'testnet4'],
    ['tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx', 'regtest', 'testnet4'],
  ] as const)('%s on %s: refuses it and names %s', (text, network, home) => {
    expect(() => parseAddress(text, network)).toThrow(refusal('address_wrong_network'))
    expect(() => parseAddress(text, network)).toThrow(home)
  })

  it.each([
    ['nothing', ''],
    ['no address', 'satoshi'],
    ['a wrong checksum', 'bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcq'],
    [
      'bech32 where version 1 wants bech32m (BIP-350)',
      'bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7k7grplx',
    ],
    ['mixed case', 'bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcR'],
    ['a space around it', ' 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa'],
    ['a witness version of the future', 'bc1sw50qgdz25j'],
    ['pay-to-anchor, which anyone can spend', 'bc1pfeessrawgf'],
    ['91 characters', `bc1${'q'.repeat(88)}`],
  ])('refuses %s', (_, text) => {
    expect(() => parseAddress(text, 'mainnet')).toThrow(refusal('address_invalid'))
  })

  it('refuses a P2TR key that is not on the curve: nobody could spend it', () => {
    const key = new Uint8Array(32).fill(3)
    expect(ecc.isXOnlyPoint(key)).toBe(false)
    expect(() => parseAddress(address.toBech32(key, 1, 'bc'), 'mainnet')).toThrow(refusal('address_invalid'))
  })
})

describe('dustSatsOf', () => {
  it.each([
    ['nothing', ''],
    ['OP_RETURN', '6a0401020304'],
    ['bare multisig', `5121${'02'.padEnd(66, '1')}51ae`],
    ['a future witness version', '52020102'],
    ['garbage', '4c'],
  ])('knows no limit for %s', (_, script) => {
    expect(dustSatsOf(Buffer.from(script, 'hex'))).toBe(null)
  })
})
