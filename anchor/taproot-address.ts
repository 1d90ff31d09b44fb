import assert from 'node:assert/strict'
import { p2tr } from '@scure/btc-signer'
import { type NetworkName, networkOf } from './network.ts'

/** The BIP-86 address of an internal key: P2TR, no script path. */
export function taprootAddress(internalKey: Uint8Array, network: NetworkName): string {
  const { address } = p2tr(internalKey, undefined, networkOf(network).scure)
  assert(address !== undefined, 'P2TR outputs have addresses')
  return address
}
