import { P2TR_DUST_SATS } from './dust.ts'

/** Blocks until the seal is used up, at that fee for each anchor and one anchor every so many blocks. */
export function runwayBlocks(sealSats: bigint, feeSats: bigint, everyBlocks: number): number | null {
  if (feeSats === 0n) return null
  const anchors = sealSats > P2TR_DUST_SATS ? (sealSats - P2TR_DUST_SATS) / feeSats : 0n
  return Number(anchors) * everyBlocks
}
