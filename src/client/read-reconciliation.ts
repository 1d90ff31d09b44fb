import { z } from 'zod'
import { askCoordinator } from './ask-coordinator.ts'

export const reconciliationSchema = z.object({
  height: z.int(),
  ok: z.boolean(),
  inconsistent: z.array(z.string()),
  rows: z.array(
    z.object({ what: z.string(), booksMsat: z.string(), chainMsat: z.string(), ok: z.boolean() }),
  ),
})

export type ReadReconciliation = z.infer<typeof reconciliationSchema>

export async function readReconciliation(url: string): Promise<ReadReconciliation> {
  return reconciliationSchema.parse(await (await askCoordinator(url, '/v1/reconciliation')).json())
}
