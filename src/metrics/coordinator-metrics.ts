import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Coordinator } from '../coordinator/coordinator.ts'
import type { ModelStatistics } from '../oip/model-statistics.ts'
import { createAnchorReadings } from './anchor-readings.ts'
import { registerEnergy } from './energy-metrics.ts'
import type { FailureCounter } from './failure-counter.ts'
import { registerInference } from './inference-metrics.ts'
import { createMoneyReadings } from './money-readings.ts'
import { nodeReadings } from './node-readings.ts'
import { type Reading, reading } from './reading.ts'
import { witnessReadings } from './witness-readings.ts'
import { createWorkReadings } from './work-readings.ts'

export interface CoordinatorMetrics {
  readonly contentType: string
  /** Everything as it is now, in Prometheus' text format. */
  scrape(): Promise<string>
}

/** One coordinator's metrics. What can be read is read at each scrape; only failures and the process are counted along the way. */
export function createMetrics(
  coordinator: Coordinator,
  failures: FailureCounter,
  statistics: ModelStatistics,
): CoordinatorMetrics {
  const counted = new Registry()
  counted.registerMetric(failures.counter)
  collectDefaultMetrics({ register: counted })
  const anchorReadings = createAnchorReadings(coordinator)
  const workReadings = createWorkReadings(coordinator)
  const moneyReadings = createMoneyReadings(coordinator)

  return {
    contentType: counted.contentType,
    async scrape() {
      const read = new Registry()
      const readings = [
        reading('assay_open', '1 when the log has its genesis.', coordinator.house() !== null),
        ...(await nodeReadings(coordinator)),
        ...anchorReadings(),
        ...workReadings(),
        ...moneyReadings(),
        ...witnessReadings(coordinator),
      ]
      for (const one of readings) register(one, read)
      registerEnergy(coordinator.house()?.desks.energy.all() ?? [], read)
      registerInference(statistics, read)
      return `${await read.metrics()}\n${await counted.metrics()}`
    },
  }
}

function register({ name, help, label, samples }: Reading, registry: Registry): void {
  const gauge = new Gauge({ name, help, labelNames: label === null ? [] : [label], registers: [registry] })
  // A gauge without labels starts at 0 by itself.
  if (label === null && samples.length === 0) gauge.remove()
  for (const { of, value } of samples) {
    if (label === null || of === undefined) gauge.set(value)
    else gauge.set({ [label]: of }, value)
  }
}
