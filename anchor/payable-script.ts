import { ECDH } from 'node:crypto'

/**
 * Least value of an output that nodes relay: what making and spending it costs at 3 sat/vB, the default
 * `-dustrelayfee` (Bitcoin Core, policy/policy.cpp, GetDustThreshold). By the form of its script: the opcodes before the
 * hash or key, its length, and the opcodes behind it (Bitcoin Core, script/solver.cpp).
 */
const FORMS = [
  { before: [0x76, 0xa9, 20], bytes: 20, behind: [0x88, 0xac], sats: 546n }, // P2PKH
  { before: [0xa9, 20], bytes: 20, behind: [0x87], sats: 540n }, // P2SH
  { before: [0, 20], bytes: 20, behind: [], sats: 294n }, // P2WPKH
  { before: [0, 32], bytes: 32, behind: [], sats: 330n }, // P2WSH
  { before: [0x51, 32], bytes: 32, behind: [], sats: 330n }, // P2TR
]

const OP_1 = 0x51

/** Dust limit of an output script; null for every form that nobody is paid in here (data, bare, future). */
export function dustSatsOf(script: Uint8Array): bigint | null {
  const form = FORMS.find(({ before, bytes, behind }) => {
    const end = before.length + bytes
    return (
      script.length === end + behind.length &&
      before.every((byte, i) => script[i] === byte) &&
      behind.every((byte, i) => script[end + i] === byte)
    )
  })
  if (form === undefined) return null
  return script[0] === OP_1 && !isOnCurve(script.subarray(2)) ? null : form.sats
}

/** An output of a taproot key off the curve can't be spent by anybody (BIP-341). OpenSSL says so 20 times as fast as JS. */
function isOnCurve(xOnly: Uint8Array): boolean {
  try {
    ECDH.convertKey(Uint8Array.of(2, ...xOnly), 'secp256k1')
    return true
  } catch {
    return false
  }
}
