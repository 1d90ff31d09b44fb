import { OutScript } from '@scure/btc-signer'

/**
 * Least value of an output that nodes relay: what making and spending it costs at 3 sat/vB, the default
 * `-dustrelayfee` (Bitcoin Core, policy/policy.cpp, GetDustThreshold).
 */
const DUST_SATS: Partial<Record<string, bigint>> = { pkh: 546n, sh: 540n, wpkh: 294n, wsh: 330n, tr: 330n }

export const P2TR_DUST_SATS = 330n

/** Dust limit of an output script; null for every form that nobody is paid in here (data, bare, future). */
export function dustSatsOf(script: Uint8Array): bigint | null {
  try {
    return DUST_SATS[OutScript.decode(script).type] ?? null
  } catch {
    return null // bytes that are no script at all, such as a push beyond the end
  }
}
