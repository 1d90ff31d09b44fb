import { z } from 'zod'
import { askCoordinator } from './ask-coordinator.ts'

const text = z.string()
const count = z.int()
const entry = count.nullable()

const receipt = z.object({
  receipt: text,
  entry: count,
  position: count,
  subnet: text,
  units: count,
  /** Null until settlement. */
  leasedMs: count.nullable(),
  answeredMs: count.nullable(),
  share: z.object({ numerator: count, denominator: count }).nullable(),
  reason: text.nullable(),
  sampled: z.boolean().nullable(),
  verdict: z.enum(['pass', 'fail', 'void']).nullable(),
  msat: text.nullable(),
  verdictEntry: entry,
  evidence: text.nullable(),
})

export const statementAnswer = z.object({
  worker: text,
  epoch: count,
  settledEntry: entry,
  accruals: text.nullable(),
  settlementHeight: count,
  maturityHeight: count,
  maturedEntry: entry,
  earned: z.array(
    z.object({
      subnet: text,
      msat: text,
      fate: z.enum(['matured', 'forfeited']).nullable(),
      from: z.enum(['budget', 'requesters']),
    }),
  ),
  payouts: z.array(
    z.object({ payout: count, entry: count, msat: text, txid: text.nullable(), height: entry }),
  ),
  receipts: z.array(receipt),
})

export type ReadStatement = z.infer<typeof statementAnswer>

/** A worker's statement of one epoch, every page of it; null: of the newest that is settled. Throws ClientError. */
export async function readStatement(
  url: string,
  worker: string,
  epoch: number | null,
): Promise<ReadStatement> {
  const path = `/v1/workers/${worker}/statement`
  const first = await read(url, epoch === null ? path : `${path}?epoch=${epoch}`)
  const receipts = [...first.receipts]
  for (let last = receipts.at(-1); last !== undefined; ) {
    const after = `${last.entry}.${last.position}`
    const page = await read(url, `${path}?epoch=${first.epoch}&after=${after}`)
    receipts.push(...page.receipts)
    last = page.receipts.at(-1)
  }
  return { ...first, receipts }
}

async function read(url: string, path: string): Promise<ReadStatement> {
  return statementAnswer.parse(await (await askCoordinator(url, path)).json())
}
