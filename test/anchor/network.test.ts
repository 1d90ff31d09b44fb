import { describe, expect, it } from 'vitest'
import { headerHash, targetOf, workOf } from '../../anchor/block-header.ts'
import { NETWORK_NAMES, networkOf } from '../../anchor/network.ts'

describe('networkOf', () => {
  it.each(NETWORK_NAMES)(
    '%s: the genesis header hashes to the genesis hash at the easiest target',
    (name) => {
      const network = networkOf(name)
      expect(network.name).toBe(name)
      expect(headerHash(network.genesisHeader)).toBe(network.genesisHash)
      const bits = Buffer.from(network.genesisHeader).readUInt32LE(72)
      expect(workOf(bits)).toBe((1n << 256n) / (targetOf(bits) + 1n))
      expect(targetOf(bits)).toBeLessThanOrEqual(network.powLimit)
    },
  )

  it('gives both libraries the same address prefixes', () => {
    for (const { scure, bitcoinjs, bech32 } of NETWORK_NAMES.map(networkOf)) {
      expect([scure.bech32, scure.pubKeyHash, scure.scriptHash]).toEqual([
        bitcoinjs.bech32,
        bitcoinjs.pubKeyHash,
        bitcoinjs.scriptHash,
      ])
      expect(scure.bech32).toBe(bech32)
    }
  })
})
