import express from 'express'
import { listen } from '../../../src/api/listen.ts'
import { metricsRoutes } from '../../../src/api/metrics-routes.ts'
import type { Coordinator } from '../../../src/coordinator/coordinator.ts'
import { createFailureCounter, type FailureCounter } from '../../../src/metrics/failure-counter.ts'
import { openModelStatistics } from '../../../src/oip/model-statistics.ts'

export interface Scrape {
  readonly contentType: string | null
  /** As Prometheus names a series: `assay_jobs{state="leased"}`. */
  readonly samples: ReadonlyMap<string, number>
  /** Of all metrics, also of those that have no sample now. */
  readonly names: ReadonlySet<string>
}

/** GET /metrics over HTTP. */
export async function scrape(
  coordinator: Coordinator,
  failures: FailureCounter = createFailureCounter(),
): Promise<Scrape> {
  const app = express().use(metricsRoutes(coordinator, failures, openModelStatistics()))
  await using listening = await listen(app, { host: '127.0.0.1', port: 0 })
  const response = await fetch(new URL('/metrics', listening.url))
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
  return { contentType: response.headers.get('content-type'), ...parseScrape(await response.text()) }
}

/** Line by line, as the exposition format has it. */
export function parseScrape(text: string): Pick<Scrape, 'samples' | 'names'> {
  const lines = text.split('\n').filter((line) => line !== '')
  return {
    names: new Set(lines.flatMap((line) => /^# TYPE (\S+)/.exec(line)?.[1] ?? [])),
    samples: new Map(
      lines
        .filter((line) => !line.startsWith('#'))
        .map((line): [string, number] => {
          const at = line.lastIndexOf(' ')
          return [line.slice(0, at), Number(line.slice(at + 1))]
        }),
    ),
  }
}
