import { z } from 'zod'
import { encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { askCoordinator } from './ask-coordinator.ts'

export const listAnswer = z.object({
  auditors: z.array(
    z.object({
      auditor: z.string(),
      address: z.string(),
      entry: z.int().nullable(),
      reason: z.string().nullable(),
      openRounds: z.int(),
    }),
  ),
})

export type ListedAuditors = z.infer<typeof listAnswer>

export async function readAuditors(url: string): Promise<ListedAuditors> {
  const response = await askCoordinator(url, '/v1/auditors')
  return listAnswer.parse(await response.json())
}

/** Says in the log who may audit from now on. @returns the entry's index. */
export async function decideAuditor(
  url: string,
  token: string,
  decision: { worker: Uint8Array; status: 'admitted' | 'withdrawn'; reason: string },
): Promise<number> {
  const body = encodeCbor(decision)
  const response = await askCoordinator(url, '/v1/operator/auditors', { method: 'POST', token, body })
  return z.object({ index: z.int() }).parse(await response.json()).index
}
