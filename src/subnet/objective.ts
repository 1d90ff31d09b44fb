import { z } from 'zod'
import type { Objective } from '../rules/objectives/objective.ts'

/** A day: no lease runs so long. */
const MAX_LATENCY_MS = 24 * 60 * 60 * 1000

/** What a subnet's workers are paid for, each by its terms (src/rules/objectives). */
export const objective = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('throughput') }),
  z
    .strictObject({
      name: z.literal('latency'),
      limitMs: z.int().min(1).max(MAX_LATENCY_MS),
      targetMs: z.int().min(0).max(MAX_LATENCY_MS),
    })
    .refine(({ targetMs, limitMs }) => targetMs < limitMs, 'expected a limitMs above targetMs'),
]) satisfies z.ZodType<Objective>
