import { z } from 'zod'

/** What GET /v1/status answers, as commands, pages and `/openapi.json` know it; money comes as decimal strings. */
const text = z.string()
const count = z.int()
const height = count.nullable()

export const statusAnswer = z.object({
  network: z.enum(['mainnet', 'testnet4', 'signet', 'regtest']),
  origin: text,
  anchorAddress: text,
  treasuryAddress: text,
  height,
  error: text.nullable(),
  log: z.object({ size: count, verifierKey: text }),
  witnesses: z.array(
    z.object({
      witness: text,
      size: count.nullable(),
      timeUnix: count.nullable(),
      error: z.object({ code: text, detail: text }).nullable(),
      /** Signed notes that contradict each other, as far as they are known. */
      alarm: z.object({ refused: text, cosigned: text.nullable() }).nullable(),
    }),
  ),
  open: z
    .object({
      method: z.enum(['dual', 'taproot']),
      epoch: count.nullable(),
      epochRules: z.object({ startHeight: count, epochBlocks: count }),
      work: z.object({
        requestsOpen: count,
        jobsLeased: count,
        jobsAnswered: count,
        receipts: count,
        undrawn: count,
        itemsAssigned: count,
        itemsDone: count,
      }),
      audits: z.object({
        rounds: count,
        load: count,
        limit: count,
        sampled: count,
        undecided: count,
        passed: count,
        failed: count,
        void: count,
      }),
      data: z.object({ heldBytes: count, collectedBytes: count, isSpaceShort: z.boolean() }),
      subnets: z.array(
        z.object({
          name: text,
          priceMsat: text.nullable(),
          nextPriceMsat: text.nullable(),
          energy: z.array(z.object({ method: text, millijoules: text, units: text })),
        }),
      ),
      /** Whose work outsiders can't recheck. */
      privateSubnets: z.array(text),
      anchors: z.array(
        z.object({
          index: count,
          state: text,
          size: count,
          txid: text.nullable(),
          vsize: count,
          feeSats: text,
          height,
        }),
      ),
      /** Why the log takes nothing more. */
      halted: text.nullable(),
      stalled: z.object({ code: text, detail: text, advice: text }).nullable(),
      runwayBlocks: count.nullable(),
      epochs: z.array(
        z.object({
          number: count,
          budgetMsat: text,
          settled: z.boolean(),
          matured: z.boolean(),
          accruedMsat: text,
        }),
      ),
      workers: z.array(
        z.object({
          worker: text,
          address: text,
          receipts: count,
          unmaturedMsat: text,
          maturedMsat: text,
          paidMsat: text,
          standing: z.enum(['good', 'held', 'suspended']),
          forfeitedMsat: text,
        }),
      ),
      reconciled: z
        .object({ epoch: count, height: count, ok: z.boolean(), differs: z.array(text) })
        .nullable(),
      frozen: z.array(z.object({ model: text, entry: count })),
      payoutTrouble: text.nullable(),
      payoutsStopped: z.object({ reason: text, sinceMs: count }).nullable(),
      payouts: z.array(
        z.object({
          number: count,
          totalSats: text,
          paidSats: text,
          state: text,
          txid: text.nullable(),
          vsize: count,
          feeSats: text,
          height,
          attempts: count,
          child: z.object({ txid: text, height }).nullable(),
          trouble: text.nullable(),
        }),
      ),
      balances: z.array(z.object({ kind: text, msat: text })),
    })
    .nullable(),
})

export type ReadStatus = z.infer<typeof statusAnswer>
export type OpenStatus = NonNullable<ReadStatus['open']>
