import type { OipCode } from './oip-error.ts'

export interface Duration {
  count: number
  ns: number
}

/** Why requests fail, in the words of Triton's `nv_inference_request_failure`. */
export const FAILURE_REASONS = ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'] as const
type FailureReason = (typeof FAILURE_REASONS)[number]

/** What Triton's statistics extension counts of one version of a model, since this process started. */
export interface ModelFigures {
  readonly model: string
  readonly version: string
  /** Requests that wait for a worker or for its answer. */
  pending: number
  /** Rows of requests that were answered. */
  inferences: number
  /** Unix time; 0 before the first. */
  lastInferenceMs: number
  readonly success: Duration
  readonly fail: Readonly<Record<FailureReason, Duration>>
  /** Until a worker was leased it; a lost lease counts as waiting. */
  readonly queue: Duration
  /** Reading the request. */
  readonly computeInput: Duration
  /** From the lease to the worker's answer. */
  readonly computeInfer: Duration
  /** Writing the answer. */
  readonly computeOutput: Duration
}

/** One request on its way, each step to be told when it begins. */
export interface RunningRequest {
  asked(): void
  taken(): void
  answered(): void
  /** Once, with `failed` as the other end. */
  succeeded(items: number): void
  failed(error: unknown): void
}

export interface ModelStatistics {
  /** Of a model and version that are served: names of strangers' choice would fill the memory. */
  begin(model: string, version: string): RunningRequest
  of(model: string, version: string): ModelFigures
  all(): Iterable<ModelFigures>
}

const REASONS = new Map<unknown, FailureReason>([
  ['queue_full', 'REJECTED'],
  ['deadline_exceeded', 'REJECTED'],
  ['requester_left', 'CANCELED'],
  ['request_failed', 'BACKEND'],
  ['answer_invalid' satisfies OipCode, 'BACKEND'],
])

export function openModelStatistics(): ModelStatistics {
  const figures = new Map<string, ModelFigures>()

  function of(model: string, version: string): ModelFigures {
    // No name has a slash (PROTOCOL §4).
    const key = `${model}/${version}`
    const known = figures.get(key) ?? noFigures(model, version)
    figures.set(key, known)
    return known
  }

  return {
    of,
    all: () => figures.values(),
    begin(model, version) {
      const figures = of(model, version)
      const beganMs = performance.now()
      let [askedMs, takenMs, answeredMs] = [beganMs, beganMs, beganMs]
      figures.pending += 1
      return {
        asked() {
          askedMs = performance.now()
        },
        taken() {
          takenMs = performance.now()
        },
        answered() {
          answeredMs = performance.now()
        },
        succeeded(items) {
          const endMs = performance.now()
          figures.pending -= 1
          figures.inferences += items
          figures.lastInferenceMs = Date.now()
          add(figures.success, endMs - beganMs)
          add(figures.computeInput, askedMs - beganMs)
          add(figures.queue, takenMs - askedMs)
          add(figures.computeInfer, answeredMs - takenMs)
          add(figures.computeOutput, endMs - answeredMs)
        },
        failed(error) {
          figures.pending -= 1
          const code = error instanceof Error && 'code' in error ? error.code : null
          add(figures.fail[REASONS.get(code) ?? 'OTHER'], performance.now() - beganMs)
        },
      }
    },
  }
}

/** Of Triton's statistics extension. Workers do not say which requests they ran in one batch: each counts as one execution. */
export function statisticsJson(figures: ModelFigures) {
  const fails = Object.values(figures.fail)
  return {
    name: figures.model,
    version: figures.version,
    last_inference: figures.lastInferenceMs,
    inference_count: figures.inferences,
    execution_count: figures.success.count,
    inference_stats: {
      success: figures.success,
      fail: {
        count: fails.reduce((sum, { count }) => sum + count, 0),
        ns: fails.reduce((sum, { ns }) => sum + ns, 0),
      },
      queue: figures.queue,
      compute_input: figures.computeInput,
      compute_infer: figures.computeInfer,
      compute_output: figures.computeOutput,
      cache_hit: zero(),
      cache_miss: zero(),
    },
    batch_stats: [],
  }
}

function add(duration: Duration, ms: number): void {
  duration.count += 1
  duration.ns += Math.round(ms * 1e6)
}

function zero(): Duration {
  return { count: 0, ns: 0 }
}

function noFigures(model: string, version: string): ModelFigures {
  return {
    model,
    version,
    pending: 0,
    inferences: 0,
    lastInferenceMs: 0,
    success: zero(),
    fail: { REJECTED: zero(), CANCELED: zero(), BACKEND: zero(), OTHER: zero() },
    queue: zero(),
    computeInput: zero(),
    computeInfer: zero(),
    computeOutput: zero(),
  }
}
