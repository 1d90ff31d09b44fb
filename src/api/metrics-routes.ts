import { Router } from 'express'
import type { Coordinator } from '../coordinator/coordinator.ts'
import { createMetrics } from '../metrics/coordinator-metrics.ts'
import type { FailureCounter } from '../metrics/failure-counter.ts'
import type { ModelStatistics } from '../oip/model-statistics.ts'
import { packText } from './pack-text.ts'

/** GET /metrics, for Prometheus. */
export function metricsRoutes(
  coordinator: Coordinator,
  failures: FailureCounter,
  statistics: ModelStatistics,
): Router {
  const metrics = createMetrics(coordinator, failures, statistics)
  return Router().get('/metrics', packText, async (_request, response) => {
    response.set('content-type', metrics.contentType).send(await metrics.scrape())
  })
}
