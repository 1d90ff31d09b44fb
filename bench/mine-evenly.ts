import { networkOf } from '../anchor/network.ts'
import { EASY_BITS, mineHeaders } from '../test/anchor/mine-headers.ts'

/** Regtest's first block and so many after it, each so long after the one before. */
export function mineEvenly(count: number, spacingSeconds: number): Uint8Array {
  const { genesisHeader } = networkOf('regtest')
  const startTime = Buffer.from(genesisHeader).readUInt32LE(68)
  const plans = Array.from({ length: count }, (_, i) => ({
    time: startTime + (i + 1) * spacingSeconds,
    bits: EASY_BITS,
  }))
  return mineHeaders(genesisHeader, plans, (digest) => (digest.at(-1) ?? 0xff) < 0x80)
}
