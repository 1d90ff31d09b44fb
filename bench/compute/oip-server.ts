/**
 * A program: the routes of the Open Inference Protocol with runners behind them, without coordinator, lease, receipt and
 * log. Argument: the conv net's file.
 */
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import express from 'express'
import { startRunnerPool } from '../../compute/runtime/runner-pool.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { bodyBudget } from '../../src/api/body-budget.ts'
import { inferRoutes } from '../../src/api/infer-routes.ts'
import type { ServingHouse } from '../../src/api/served-models.ts'
import { exactProfile } from '../../src/client/exact-profile.ts'
import { EPOCH } from '../../src/demo/demo-plan.ts'
import { openModelStatistics } from '../../src/oip/model-statistics.ts'
import { convNet } from './bench-models.ts'
import { benchMarket } from './bench-site.ts'

const [modelPath = ''] = process.argv.slice(2)
const file = readFileSync(modelPath)
const digest = sha256(file)
/** As long as a job's. */
const job = new Uint8Array(190)
const profile = exactProfile()
const modelDigest = Buffer.from(digest).toString('hex')
const { models, ...draft } = benchMarket([convNet()])
const held = models.map((model) => ({ ...model, bytes: file.length, digest }))
const subnet = { ...draft, v: 1 as const, dataset: null, models: held }
// The bare server's runs have as many threads.
const pool = await startRunnerPool({
  provider: 'cpu',
  devices: null,
  concurrency: availableParallelism(),
  onEvent: () => undefined,
})

const house: ServingHouse = {
  books: { blobs: { get: () => file } },
  advancedTo: () => 0,
  house: () => ({
    genesis: { epoch: { startHeight: 0, ...EPOCH } },
    anchorer: { judgement: () => ({ stalled: null, inDoubt: false }) },
    desks: {
      canaries: { giveBack: () => undefined, isDue: () => false, take: () => null },
      charges: { assertCover: () => undefined, quoteMsat: () => 0n },
      market: {
        modelNamed: (name) =>
          held.map((model) => ({ subnet, model })).find(({ model }) => model.name === name) ?? null,
        subnetsAt: () => [subnet],
      },
      requesters: { authenticate: () => null },
      requests: {
        heldMsat: () => 0n,
        async ask({ inputs, deadlineMs }) {
          const { outputs } = await pool.run({
            modelPath,
            modelDigest,
            profile,
            inputs,
            deadlineMs,
            mayJoin: false,
          })
          return { outputs, receiptId: digest, job, inputSalt: digest, outputSalt: digest }
        },
      },
    },
  }),
}

const routes = inferRoutes(house, {
  budget: bodyBudget(),
  asOperator: (_request, _response, next) => next(),
  statistics: openModelStatistics(),
  onBug: (error) => console.error(error),
})
// As the coordinator has it: no hash of each answer.
const app = express().set('etag', false).use('/v2', routes)
const server = app.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
