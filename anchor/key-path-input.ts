import { tapLeafHash } from '@scure/btc-signer/payment.js'
import { opReturnScript, sealScript } from './commitment.ts'

/** Opts in to replacement (BIP-125) without a relative lock time (BIP-68). */
export const SEQUENCE = 0xffff_fffd

/** scure's input for a coin of the key, signed by the key path: a seal, or with no payload a BIP-86 coin. */
export function keyPathInput(
  coin: { txid: string; vout: number; valueSats: bigint; payload: Uint8Array | null },
  internalKey: Uint8Array,
) {
  const { txid, vout: index, valueSats: amount, payload } = coin
  const script = sealScript(internalKey, payload)
  const input = {
    txid,
    index,
    sequence: SEQUENCE,
    witnessUtxo: { amount, script },
    tapInternalKey: internalKey,
  }
  // A tree of one leaf: the leaf's hash is the root that the tweak commits to.
  return payload === null ? input : { ...input, tapMerkleRoot: tapLeafHash(opReturnScript(payload)) }
}
