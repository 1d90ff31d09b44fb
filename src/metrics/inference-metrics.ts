import { Counter, Gauge, type Registry } from 'prom-client'
import {
  type Duration,
  FAILURE_REASONS,
  type ModelFigures,
  type ModelStatistics,
} from '../oip/model-statistics.ts'

const US_PER_NS = 1e-3

const counters: readonly (readonly [string, string, (figures: ModelFigures) => number])[] = [
  ['request_success', 'Requests that were answered.', ({ success }) => success.count],
  ['count', 'Rows of requests that were answered.', ({ inferences }) => inferences],
  ['exec_count', 'Executions: one a request.', ({ success }) => success.count],
  ['request_duration_us', 'From request to answer.', ({ success }) => micros(success)],
  ['queue_duration_us', 'Waiting for a worker.', ({ queue }) => micros(queue)],
  ['compute_input_duration_us', 'Reading requests.', ({ computeInput }) => micros(computeInput)],
  ['compute_infer_duration_us', 'From lease to answer.', ({ computeInfer }) => micros(computeInfer)],
  ['compute_output_duration_us', 'Writing answers.', ({ computeOutput }) => micros(computeOutput)],
]

/** Requests under the names and labels of Triton's own metrics, so that its dashboards show them. */
export function registerInference(statistics: ModelStatistics, registry: Registry): void {
  const registers = [registry]
  const labelNames = ['model', 'version']
  const models = [...statistics.all()]
  for (const [name, help, read] of counters) {
    const counter = new Counter({ name: `nv_inference_${name}`, help, labelNames, registers })
    for (const figures of models) counter.inc(labelsOf(figures), read(figures))
  }
  const failures = new Counter({
    name: 'nv_inference_request_failure',
    help: 'Requests that were not answered, by reason.',
    labelNames: [...labelNames, 'reason'],
    registers,
  })
  const pending = new Gauge({
    name: 'nv_inference_pending_request_count',
    help: 'Requests that wait for an answer.',
    labelNames,
    registers,
  })
  for (const figures of models) {
    const labels = labelsOf(figures)
    for (const reason of FAILURE_REASONS) failures.inc({ ...labels, reason }, figures.fail[reason].count)
    pending.set(labels, figures.pending)
  }
}

function labelsOf({ model, version }: ModelFigures) {
  return { model, version }
}

function micros({ ns }: Duration): number {
  return Math.round(ns * US_PER_NS)
}
