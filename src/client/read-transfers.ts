import { z } from 'zod'
import { askCoordinator, type Operator } from './ask-coordinator.ts'

/** Money stays text: what a spreadsheet or script makes of it is its own business. */
export const transfersAnswer = z.array(
  z.object({
    sequence: z.int(),
    id: z.string(),
    kind: z.enum(['direct', 'pending', 'post', 'void']),
    debit: z.string(),
    credit: z.string(),
    amountMsat: z.string(),
    code: z.string(),
    entryIndex: z.int(),
    pendingId: z.string().nullable(),
    anchorHeight: z.int().nullable(),
    anchorTimeUnix: z.int().nullable(),
  }),
)

export type ReadTransfer = z.infer<typeof transfersAnswer>[number]

/** Every transfer in its order, a page at a time: as much is held as one answer has. Throws ClientError. */
export async function* readTransfers(
  { url, token }: Operator,
  account: string | null,
): AsyncGenerator<ReadTransfer> {
  for (let after = 0; ; ) {
    const query = new URLSearchParams({ after: `${after}`, ...(account === null ? {} : { account }) })
    const response = await askCoordinator(url, `/v1/operator/transfers?${query}`, { token })
    const page = transfersAnswer.parse(await response.json())
    yield* page
    const last = page.at(-1)
    if (last === undefined) return
    after = last.sequence
  }
}
