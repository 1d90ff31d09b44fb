import { z } from 'zod'

/** A day: no lease runs so long. */
const MAX_LATENCY_MS = 24 * 60 * 60 * 1000

/** What a subnet's workers are paid for, each by its terms (src/rules/objectives). */
export const objective = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal('throughput') }),
  z
    .strictObject({
      name: z.literal('latency'),
      /** From here on nothing is paid. */
      limitMs: z.int().min(1).max(MAX_LATENCY_MS),
      /** Up to here all is. */
      targetMs: z.int().min(0).max(MAX_LATENCY_MS),
    })
    .refine(({ targetMs, limitMs }) => targetMs < limitMs, 'expected a limitMs above targetMs'),
])

export type Objective = z.infer<typeof objective>
