import assert from 'node:assert/strict'
import { isXOnlyPoint, xOnlyPointAddTweak } from '@bitcoinerlab/secp256k1'
import { crypto } from 'bitcoinjs-lib'

const TAPSCRIPT_LEAF_VERSION = 0xc0
const OP_1 = 0x51
/** Below 253, so that its CompactSize is one byte. */
const MAX_LEAF_BYTES = 252

/**
 * The P2TR output script of an internal key and at most one tapscript leaf, computed from BIP-341 with the
 * checkers' libraries, apart from the builders'. Null when the key is no point on the curve.
 */
export function taprootOutput(internalKey: Uint8Array, leaf: Uint8Array | null): Uint8Array | null {
  if (leaf !== null) assert(leaf.length <= MAX_LEAF_BYTES, `leaf: ${leaf.length} bytes`)
  if (!isXOnlyPoint(internalKey)) return null
  const root =
    leaf === null
      ? new Uint8Array()
      : crypto.taggedHash('TapLeaf', Buffer.from([TAPSCRIPT_LEAF_VERSION, leaf.length, ...leaf]))
  const tweak = crypto.taggedHash('TapTweak', Buffer.concat([internalKey, root]))
  const key = xOnlyPointAddTweak(internalKey, tweak)
  return key === null ? null : Uint8Array.from([OP_1, 32, ...key.xOnlyPubkey])
}
