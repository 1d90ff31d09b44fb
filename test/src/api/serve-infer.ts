import express from 'express'
import { onTestFinished } from 'vitest'
import { bodyBudget } from '../../../src/api/body-budget.ts'
import { inferRoutes } from '../../../src/api/infer-routes.ts'
import { listen } from '../../../src/api/listen.ts'
import { requireOperator } from '../../../src/api/require-operator.ts'
import type { ServingHouse } from '../../../src/api/served-models.ts'
import { openModelStatistics } from '../../../src/oip/model-statistics.ts'

export const OPERATOR = { authorization: 'Bearer the operator' }

/** The Open Inference Protocol alone, over HTTP, until the test is over. */
export async function serveInfer(house: ServingHouse) {
  const bugs: unknown[] = []
  const statistics = openModelStatistics()
  const noKeys = { find: () => null, lookUp: () => null, add: noKey, revoke: noKey, list: () => [] }
  const app = express().use(
    '/v2',
    inferRoutes(house, {
      budget: bodyBudget(),
      asOperator: requireOperator(noKeys, 'the operator'),
      statistics,
      onBug: (error) => bugs.push(error),
    }),
  )
  const server = await listen(app, { host: '127.0.0.1', port: 0 })
  onTestFinished(() => server[Symbol.asyncDispose]())
  return { url: `${server.url}/v2`, bugs, statistics }
}

function noKey(): never {
  throw new Error('this test has no API keys')
}
