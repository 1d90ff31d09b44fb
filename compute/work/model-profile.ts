import { z } from 'zod'
import { decimal } from './decimal.ts'
import { type ExecutionProfile, executionProfile } from './receipt.ts'
import { integer } from './record.ts'

/** As many as a tensor bundle may hold. */
const MAX_OUTPUTS = 64

/** A few ways to change weights, and models that are cheaper or wrong. */
const MAX_CHEATS = 64

const MAX_THREADS = 256

const name = z.string().min(1).max(256)
const count = z.int().min(1)
const precision = z.string().min(1).max(16)

/** What honest runs of a model may differ by in one floating-point output, as calibrated. */
const outputBounds = z.strictObject({
  atol: decimal,
  output: name,
  /** Relative to the larger of |own number| and the root mean square of the whole own output. */
  rtol: decimal,
  /**
   * Set where the output decides among the numbers of its last axis: how many of the largest are the decision, and by how much of
   * max(|number|, rms) two may differ and yet change places.
   */
  top: z.strictObject({ count, tie: decimal }).nullable(),
})

/** d of a cheat that the subnet claims to catch. */
const detection = z
  .strictObject({ caught: integer, cheat: name, runs: count })
  .refine(({ caught, runs }) => caught <= runs, 'expected no more caught than runs')
  .refine(isClaimable, 'expected at least 9 of 10 runs caught of a cheat that is claimed to be')

const exactProfile = z.strictObject({
  comparison: z.literal('exact'),
  device: z.string().min(1).max(64),
  optimization: executionProfile.shape.optimization,
  ort: z.string().min(1).max(32),
  precision,
  provider: executionProfile.shape.provider,
  threads: z.int().min(1).max(MAX_THREADS),
})

const tolerantProfile = z.strictObject({
  bounds: z.array(outputBounds).max(MAX_OUTPUTS).refine(differ('output'), 'expected unique outputs'),
  comparison: z.literal('tolerant'),
  detections: z.array(detection).max(MAX_CHEATS).refine(differ('cheat'), 'expected unique cheats'),
  precision,
})

/**
 * How receipts of a model must have been made and how their outputs are compared (DESIGN §7). `exact` fixes everything that can change a
 * bit; `tolerant` the precision alone.
 */
export const modelProfile = z.discriminatedUnion('comparison', [exactProfile, tolerantProfile])

export type ModelProfile = z.infer<typeof modelProfile>
export type OutputBounds = z.infer<typeof outputBounds>

/** DESIGN §7: below d = 0.9 a subnet may not claim to catch it. */
export function isClaimable({ caught, runs }: { caught: number; runs: number }): boolean {
  return caught * 10 >= runs * 9
}

/** Asked once for each receipt: zod makes the schema of the keys anew each time. */
const PROFILE_KEYS = executionProfile.keyof().options

/** What a receipt for `items` rows says otherwise than the profile wants it; null for nothing. */
export function profileMismatch(
  required: ModelProfile,
  items: number,
  told: ExecutionProfile,
): { key: string; expected: string | number; received: string | number } | null {
  const { device, optimization, ort, precision, provider, threads } =
    required.comparison === 'exact' ? required : { ...told, precision: required.precision }
  // Rows of others may have run with them where nothing asks for a run of its own.
  const batch = required.comparison === 'exact' ? items : Math.max(items, told.batch)
  const wanted: ExecutionProfile = { device, optimization, ort, precision, provider, threads, batch }
  for (const key of PROFILE_KEYS) {
    const [expected, received] = [wanted[key], told[key]]
    if (expected !== received) return { key, expected, received }
  }
  return null
}

function differ<Key extends string>(key: Key): (list: readonly Record<Key, string>[]) => boolean {
  return (list) => new Set(list.map((one) => one[key])).size === list.length
}
