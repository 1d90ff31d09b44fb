import assert from 'node:assert/strict'
import type { Ratio } from '../sampling.ts'
import type { LatencyTerms } from './objective.ts'

/** The whole up to the target, from there on linearly less, nothing from the limit on. */
export function latency({ targetMs, limitMs }: LatencyTerms, waitedMs: number): Ratio {
  assert(limitMs > targetMs, 'a latency limit is above its target')
  const countedMs = Math.min(Math.max(waitedMs, targetMs), limitMs)
  return { numerator: BigInt(limitMs - countedMs), denominator: BigInt(limitMs - targetMs) }
}
