import { Counter } from 'prom-client'
import type { CoordinatorEvent } from '../coordinator/coordinator.ts'

/** Failed rounds and looks at the chain, by the error's code: `rpc_unreachable`, `rpc_timeout`, `node_malformed` and so on. */
export interface FailureCounter {
  readonly counter: Counter<'code'>
  record(event: CoordinatorEvent): void
}

/** Made before the coordinator that it listens to: what fails while that opens counts, too. */
export function createFailureCounter(): FailureCounter {
  const counter = new Counter({
    name: 'assay_failures_total',
    help: 'Rounds and looks at the chain that failed and are tried again, by code.',
    labelNames: ['code'],
    registers: [],
  })
  return {
    counter,
    record(event) {
      if (event.kind === 'failed') counter.inc({ code: codeOf(event.error) })
    },
  }
}

/** Codes are constants of the source, so the label has few values. What has none is a bug. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'internal'
}
