import assert from 'node:assert'
import { HDKey } from '@scure/bip32'
import { type NetworkName, networkOf } from '../../anchor/network.ts'
import { taprootAddress } from '../../anchor/taproot-address.ts'

/** A worker's like any other: BIP-340, and where it would be paid. */
export interface ProctorKey {
  readonly secretKey: Uint8Array
  readonly address: string
}

/** Key `m/0'/index'` of the seed, paid at its BIP-86 address `m/86'/coin'/0'/0/index`. `index`: below 2^31. */
export function proctorKey(seed: Uint8Array, network: NetworkName, index: number): ProctorKey {
  const root = HDKey.fromMasterSeed(seed)
  const { coinType } = networkOf(network)
  const { privateKey } = root.derive(`m/0'/${index}'`)
  const { publicKey } = root.derive(`m/86'/${coinType}'/0'/0/${index}`)
  assert(privateKey !== null && publicKey !== null)
  return {
    secretKey: Uint8Array.from(privateKey),
    address: taprootAddress(Uint8Array.from(publicKey.subarray(1)), network),
  }
}
