import express, { type Express, Router } from 'express'
import { openApiKeys } from '../coordinator/api-keys.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import { RefusedError } from '../coordinator/refused-error.ts'
import type { FailureCounter } from '../metrics/failure-counter.ts'
import { openModelStatistics } from '../oip/model-statistics.ts'
import { anchorsRoutes } from './anchors-routes.ts'
import { noteArrival } from './authenticate.ts'
import { bodyBudget } from './body-budget.ts'
import { MAX_BODY_BYTES } from './cbor-body.ts'
import { eventRoutes } from './event-routes.ts'
import { explorerRoutes } from './explorer-routes.ts'
import { headersRoutes } from './headers-routes.ts'
import { inferRoutes, oipProblemHandler } from './infer-routes.ts'
import { openKeptAnswers } from './kept-answers.ts'
import { listRoutes } from './list-routes.ts'
import { logRoutes } from './log-routes.ts'
import { metricsRoutes } from './metrics-routes.ts'
import { openToPages } from './open-to-pages.ts'
import { openapiRoutes } from './openapi/openapi-routes.ts'
import { operatorRoutes } from './operator-routes.ts'
import { problemHandler } from './problem.ts'
import { rateLimits } from './rate-limits.ts'
import { requesterRoutes } from './requester-routes.ts'
import { requireOperator } from './require-operator.ts'
import { statusRoutes } from './status-routes.ts'
import { workerRoutes } from './worker-routes.ts'

interface AppOptions {
  readonly coordinator: Coordinator
  readonly operatorToken: string
  readonly failures: FailureCounter
  /** The built pages; null where they aren't built. */
  readonly explorer: string | null
  /** Errors that are ours: to be logged, never to be shown. */
  readonly onBug: (error: unknown) => void
}

/** The coordinator's whole HTTP surface, without a port. */
export function createApp({ coordinator, operatorToken, failures, explorer, onBug }: AppOptions): Express {
  const app = express()
  app.disable('x-powered-by')
  app.set('etag', false)
  app.set('trust proxy', coordinator.config.listen.proxies)
  const apiKeys = openApiKeys(coordinator.books.db)
  app.use(rateLimits(coordinator.config, apiKeys))
  const reads = Router()
  reads.use(openToPages)
  const answers = openKeptAnswers(coordinator.books.db)
  // What is asked for most first: each request pays for the routers in front of its own.
  reads.use(logRoutes(coordinator, answers))
  reads.use(statusRoutes(coordinator, answers))
  reads.use(listRoutes(coordinator, answers))
  reads.use(eventRoutes(coordinator, onBug))
  reads.use(headersRoutes(coordinator))
  reads.use(anchorsRoutes(coordinator))
  reads.use(openapiRoutes())
  reads.use(explorerRoutes(explorer))
  const statistics = openModelStatistics()
  reads.use(metricsRoutes(coordinator, failures, statistics))
  // What is posted goes past them all: each router on its way costs it a turn of the event loop.
  app.use((request, response, next) => {
    if (request.method === 'POST') next()
    else reads(request, response, next)
  })
  // One for all that read bodies.
  const budget = bodyBudget()
  const asOperator = requireOperator(apiKeys, operatorToken)
  app.use(
    '/v2',
    inferRoutes(coordinator, { budget, asOperator, statistics, onBug }),
    oipProblemHandler(onBug),
  )
  // Before any body is read: a signed request is as old as its head.
  app.use('/v1', noteArrival, budget)
  app.use('/v1/operator', operatorRoutes(coordinator, { apiKeys, asOperator }))
  // Bodies are read raw and whole, up to one limit: what is signed or hashed is the bytes, not a re-encoding.
  app.use(
    '/v1',
    express.raw({ type: () => true, limit: MAX_BODY_BYTES }),
    requesterRoutes(coordinator),
    workerRoutes(coordinator),
  )
  app.use(notFound())
  app.use(problemHandler(onBug))
  return app
}

function notFound(): Router {
  return Router().use((request) => {
    throw new RefusedError(404, 'not_found', `nothing is at ${request.method} ${request.path}`)
  })
}
