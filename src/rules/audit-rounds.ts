import { drawAuditor, type SampledReceipt } from './sampling.ts'

/** Rounds of one audit: drawn, and drawn again twice when inconclusive; then the receipt is void (DESIGN §7). */
export const AUDIT_ROUNDS = 3

/**
 * The auditor of a round. The last one is the operator's own: auditors that keep silent must not be able to void the work
 * of others. Null when nobody is left.
 */
export function auditorOfRound({
  operator,
  ...draw
}: SampledReceipt & {
  round: number
  /** Those that may audit the receipt's author. */
  candidates: Uint8Array[]
  /** The key that genesis names. */
  operator: Uint8Array
}): Uint8Array | null {
  const { round, candidates } = draw
  const same = (key: Uint8Array) => Buffer.compare(key, operator) === 0
  if (round === AUDIT_ROUNDS - 1 && candidates.some(same)) {
    const earlier = [0, 1].map((before) => drawAuditor({ ...draw, round: before }))
    if (!earlier.some((key) => key !== null && same(key))) return operator
  }
  return drawAuditor(draw)
}
