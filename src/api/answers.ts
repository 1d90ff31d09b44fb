/**
 * What the API answers, but for the status: for `/openapi.json`, and for the pages, which check it as it comes. Money is a
 * decimal string there and bigint here.
 */
import { z } from 'zod'
import { objective } from '../subnet/objective.ts'

const count = z.int()
const money = z.string().transform(BigInt)
const height = count.nullable()

export const anchorsAnswer = z.array(
  z.object({
    index: count,
    state: z.string(),
    firstEntry: count,
    size: count,
    txid: z.string().nullable(),
    vsize: count,
    feeSats: money,
    height,
    blockHash: z.string().nullable(),
    blockTimeUnix: count.nullable(),
  }),
)
export type Anchor = z.infer<typeof anchorsAnswer>[number]

export const epochsAnswer = z.array(
  z.object({
    number: count,
    firstHeight: count,
    lastHeight: count,
    settlementHeight: count,
    maturityHeight: count,
    state: z.string(),
    earners: count,
    budgetMsat: money,
    computeMsat: money.nullable(),
    auditMsat: money.nullable(),
    returnedMsat: money.nullable(),
    settledEntry: count.nullable(),
  }),
)
export type Epoch = z.infer<typeof epochsAnswer>[number]

export const workersAnswer = z.array(
  z.object({
    worker: z.string(),
    entry: count,
    address: z.string(),
    receipts: count,
    passed: count,
    failed: count,
    void: count,
    auditsDone: count,
    unmaturedMsat: money,
    maturedMsat: money,
    paidMsat: money,
    standing: z.string(),
    forfeitedMsat: money,
  }),
)
export type Worker = z.infer<typeof workersAnswer>[number]

export const workerAnswer = z.object({
  address: z.string(),
  thresholdSats: money,
  standing: z.object({
    standing: z.enum(['good', 'held', 'suspended']),
    scoreNats: z.number(),
    since: height,
    fails: z.array(z.object({ entry: count, receipt: z.string() })),
    returnHeight: height,
    forfeited: z.array(z.object({ entry: count, msat: money })),
  }),
})
export type OneWorker = z.infer<typeof workerAnswer>

export const earningsAnswer = z.array(z.object({ epoch: count, subnet: z.string(), msat: money }))
export type Earning = z.infer<typeof earningsAnswer>[number]

export const subnetsAnswer = z.array(
  z.object({
    name: z.string(),
    objective,
    privacy: z.enum(['public', 'private']),
    weight: count,
    auditFloor: z.object({ numerator: count, denominator: count }),
    effectiveEpoch: count,
    models: z.array(
      z.object({
        name: z.string(),
        digest: z.string(),
        bytes: count,
        unitsPerItem: count,
        version: count,
        spdx: z.string(),
        source: z.string(),
        profile: z.object({
          comparison: z.string(),
          device: z.string(),
          provider: z.string(),
          ort: z.string(),
        }),
      }),
    ),
    dataset: z.object({ items: count, perEpoch: count }).nullable(),
    priceMsat: money.nullable(),
    nextPriceMsat: money.nullable(),
    itemsOpen: count,
    itemsLeased: count,
    itemsDone: count,
    earnedMsat: money,
  }),
)
export type Subnet = z.infer<typeof subnetsAnswer>[number]

export const receiptsAnswer = z.array(
  z.object({
    receipt: z.string(),
    entry: count,
    position: count,
    worker: z.string(),
    subnet: z.string(),
    units: count,
    sampled: z.boolean().nullable(),
    verdict: z.string().nullable(),
  }),
)
export type ReceiptRow = z.infer<typeof receiptsAnswer>[number]

export const liveStateAnswer = z.object({
  height,
  error: z.string().nullable(),
  logSize: count,
  open: z
    .object({
      epoch: height,
      halted: z.string().nullable(),
      anchors: z.array(z.object({ index: count, state: z.string(), txid: z.string().nullable(), height })),
      submissions: count,
      requestsOpen: count,
    })
    .nullable(),
})

export const readyAnswer = z.object({ ready: z.boolean(), error: z.string().nullable(), height })

export const infoAnswer = z.object({
  origin: z.string(),
  network: z.string(),
  method: z.enum(['dual', 'taproot']),
  logKey: z.string(),
  subnets: z.array(
    z.object({
      name: z.string(),
      models: z.array(
        z.object({
          digest: z.string(),
          name: z.string(),
          bytes: count,
          profile: z.object({ comparison: z.string() }),
        }),
      ),
    }),
  ),
})
