import { compactOf, targetOf } from './block-header.ts'
import type { Network } from './network.ts'

/** Blocks between two changes of the target (Bitcoin Core, consensus/params.h). */
export const PERIOD_BLOCKS = 2016
/** Two weeks: 2016 blocks at ten minutes each. */
const PERIOD_SECONDS = 14 * 24 * 60 * 60
/** BIP-94: a block this long after the one before it has the least difficulty. */
const LEAST_DIFFICULTY_AFTER_SECONDS = 20 * 60

/**
 * `nBits` of a period's first block, from the period before: bits and time of its first block, time of its last
 * (Bitcoin Core, pow.cpp, CalculateNextWorkRequired). Bitcoin starts from the last block's target, BIP-94 from
 * the first one's; without blocks of least difficulty those are the same, so one formula serves all chains.
 */
export function retarget(network: Network, firstBits: number, firstTime: number, lastTime: number): number {
  if (!network.retargets) return firstBits
  const seconds = Math.min(Math.max(lastTime - firstTime, PERIOD_SECONDS / 4), PERIOD_SECONDS * 4)
  const target = (targetOf(firstBits) * BigInt(seconds)) / BigInt(PERIOD_SECONDS)
  return compactOf(target < network.powLimit ? target : network.powLimit)
}

/**
 * `nBits` of any later block: those of the period's first block, unless BIP-94 asks for the least difficulty.
 * (Bitcoin Core goes back to the last block without it, which has the first one's bits too.)
 */
export function bitsWithin(network: Network, firstBits: number, previousTime: number, time: number): number {
  const isLate = network.bip94 && time > previousTime + LEAST_DIFFICULTY_AFTER_SECONDS
  return isLate ? compactOf(network.powLimit) : firstBits
}
