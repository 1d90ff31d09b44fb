import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { rankForSubject } from './rendezvous.ts'

/** An exact fraction from 0 to 1; the denominator is positive. */
export interface Ratio {
  numerator: bigint
  denominator: bigint
}

const ALWAYS: Ratio = { numerator: 1n, denominator: 1n }

/** At 4 no way of draining and bursting that was simulated paid; at 2 several did. */
const STAKE_FACTOR = 4n

/** Width of a SHA-256 draw. */
const DRAW_BITS = 256n

/** One receipt as the beacon sees it: by its place in a submission. */
export interface SampledReceipt {
  /** Hash of the block that draws, internal byte order. */
  beacon: Uint8Array
  submissionId: Uint8Array
  /** Position in the submission. */
  index: number
}

/** As a subnet's definition says it. */
export function ratioOf({ numerator, denominator }: { numerator: number; denominator: number }): Ratio {
  return { numerator: BigInt(numerator), denominator: BigInt(denominator) }
}

/**
 * The probability of an audit, by what the worker would lose: min(1, max(floor, 4·reward / (unmatured + reward))).
 * Whoever has nothing unmatured to lose is audited always.
 */
export function auditRate({
  rewardMsat,
  unmaturedMsat,
  floor,
}: {
  rewardMsat: bigint
  unmaturedMsat: bigint
  floor: Ratio
}): Ratio {
  assert(rewardMsat >= 0n && unmaturedMsat >= 0n, 'money is never negative')
  assertRatio(floor)
  const atStake = { numerator: STAKE_FACTOR * rewardMsat, denominator: unmaturedMsat + rewardMsat }
  // Without anything unmatured this is 4, or 0/0 for no reward: always, either way.
  if (atStake.numerator >= atStake.denominator) return ALWAYS
  return isBelow(atStake, floor) ? floor : atStake
}

/** Whether a receipt is audited: H(beacon ‖ submission id ‖ uint32 BE index) < rate · 2^256, without rounding. */
export function isSampled(receipt: SampledReceipt & { rate: Ratio }): boolean {
  const { rate } = receipt
  assertRatio(rate)
  const draw = BigInt(`0x${hash('sha256', preimage(receipt), 'hex')}`)
  return draw * rate.denominator < rate.numerator << DRAW_BITS
}

/**
 * The auditor of a sampled receipt in a round: the candidate at place `round`, from 0, by highest H(beacon ‖ submission
 * id ‖ uint32 BE index ‖ candidate). Each round so draws somebody else; null when the candidates are used up. They are
 * distinct keys, in the log before the beacon's block; their order plays no part.
 */
export function drawAuditor({
  round,
  candidates,
  ...receipt
}: SampledReceipt & { round: number; candidates: readonly Uint8Array[] }): Uint8Array | null {
  assert(Number.isSafeInteger(round) && round >= 0, 'a round is a count')
  return rankForSubject(preimage(receipt), candidates)[round] ?? null
}

function preimage({ beacon, submissionId, index }: SampledReceipt): Uint8Array {
  assert.equal(beacon.length, 32, 'a beacon has 32 bytes')
  assert.equal(submissionId.length, 32, 'a submission id has 32 bytes')
  // Every byte is written below; zeroed memory takes longer than hashing it.
  const bytes = Buffer.allocUnsafe(68)
  bytes.set(beacon, 0)
  bytes.set(submissionId, 32)
  bytes.writeUInt32BE(index, 64)
  return bytes
}

function isBelow(a: Ratio, b: Ratio): boolean {
  return a.numerator * b.denominator < b.numerator * a.denominator
}

function assertRatio({ numerator, denominator }: Ratio): void {
  assert(numerator >= 0n && numerator <= denominator && denominator > 0n, 'a rate lies between 0 and 1')
}
