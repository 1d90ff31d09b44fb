import { decimalValue } from '../work/decimal.ts'
import type { ModelProfile, OutputBounds } from '../work/model-profile.ts'
import { compareExact } from './exact.ts'
import { compareTolerant, type TolerantBounds } from './tolerant.ts'

/**
 * Whether claimed outputs of a model pass beside an auditor's own (docs/PROTOCOL.md §7). Both are strangers' bytes: whatever they hold
 * makes a reason, for people, never an exception.
 */
export function compareOutputs(
  profile: ModelProfile,
  claimed: Uint8Array,
  own: Uint8Array,
): { verdict: 'pass' | 'fail'; reason: string } {
  return profile.comparison === 'exact'
    ? compareExact(claimed, own)
    : compareTolerant(claimed, own, tolerantBounds(profile.bounds))
}

/** As numbers to compute with. */
export function tolerantBounds(bounds: readonly OutputBounds[]): TolerantBounds {
  return Object.fromEntries(
    bounds.map(({ output, atol, rtol, top }) => [
      output,
      {
        atol: decimalValue(atol),
        rtol: decimalValue(rtol),
        top: top === null ? null : { count: top.count, tie: decimalValue(top.tie) },
      },
    ]),
  )
}
