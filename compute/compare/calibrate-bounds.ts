import { decimalAtLeast } from '../work/decimal.ts'
import type { OutputBounds } from '../work/model-profile.ts'
import { type Datatype, parseTensorBundle } from '../work/tensor-bundle.ts'
import { floatsOf, rootMeanSquare, worstElement } from './tolerant-floats.ts'

/** Bounds over spread: machines that nobody calibrated on differ more. At 8 the cheapest cheat, binary16 weights, still stands out. */
export const MARGIN = 8

/** Two numbers may each move by the spread; twice that for the machines that nobody calibrated on. */
const TIE_MARGIN = 4

/** A sum of some 256 terms in another order differs by about so many roundoffs, even where the machines at hand all agree. */
const LEAST_ROUNDOFFS = 16

/** Half of the last bit, and the least normal number, below which some devices have only zero. */
const FORMATS: Partial<Record<Datatype, { roundoff: number; leastNormal: number }>> = {
  FP16: { roundoff: 2 ** -11, leastNormal: 2 ** -14 },
  FP32: { roundoff: 2 ** -24, leastNormal: 2 ** -126 },
  FP64: { roundoff: 2 ** -53, leastNormal: 2 ** -1022 },
}

interface OutputSpread {
  datatype: Datatype
  /** Most that two honest runs on one input differed by, of max(|number|, rms). Infinity: in what is a number at all. */
  spread: number
}

/** By output, over every pair of what honest runs made of one input, for all inputs. Floating-point outputs alone. */
export function spreadOf(honest: readonly (readonly Uint8Array[])[]): Map<string, OutputSpread> {
  const spreads = new Map<string, OutputSpread>()
  for (const bundles of honest) {
    const runs = bundles.map(floatOutputs)
    for (const own of runs) {
      for (const [name, { datatype, values, rms }] of own) {
        const spread = Math.max(...runs.map((run) => differenceOf(run.get(name)?.values, values, rms)))
        spreads.set(name, { datatype, spread: Math.max(spread, spreads.get(name)?.spread ?? 0) })
      }
    }
  }
  return spreads
}

export function boundsFor(
  output: string,
  { datatype, spread }: OutputSpread,
  topCount: number | undefined,
): OutputBounds {
  const { roundoff, leastNormal } = FORMATS[datatype] ?? { roundoff: 0, leastNormal: 0 }
  const honest = Math.max(spread, LEAST_ROUNDOFFS * roundoff)
  return {
    atol: decimalAtLeast(leastNormal),
    output,
    rtol: decimalAtLeast(MARGIN * honest),
    top: topCount === undefined ? null : { count: topCount, tie: decimalAtLeast(TIE_MARGIN * honest) },
  }
}

function differenceOf(
  claimed: ReturnType<typeof floatsOf> | undefined,
  own: NonNullable<ReturnType<typeof floatsOf>>,
  rms: number,
): number {
  if (claimed?.length !== own.length) return Number.POSITIVE_INFINITY
  return worstElement(claimed, own, { atol: 0, rtol: 1, rms }).ratio
}

function floatOutputs(bundle: Uint8Array) {
  return new Map(
    parseTensorBundle(bundle).flatMap((tensor) => {
      const values = floatsOf(tensor)
      if (values === null) return []
      return [[tensor.name, { datatype: tensor.datatype, values, rms: rootMeanSquare(values) }] as const]
    }),
  )
}
