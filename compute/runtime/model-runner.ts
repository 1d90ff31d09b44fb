import assert from 'node:assert/strict'
import type { ExecutionProfile } from '../work/receipt.ts'
import { RunError } from './run-error.ts'
import { type RunnerChild, spawnRunnerChild } from './runner-child.ts'
import type { Provider, RequiredProfile } from './runner-message.ts'

/** Loading CUDA's libraries and compiling the first kernels takes some ten seconds. */
const START_LIMIT_MS = 60_000

/** A worker leases at most 64 jobs and fetches one lease ahead. */
const MAX_WAITING_RUNS = 256

/** Fastest first; the first that computes the conformance case rightly is taken. */
const PREFERENCE: readonly Provider[] = ['cuda', 'webgpu', 'cpu']

export type RunnerEvent =
  | { kind: 'provider_refused'; provider: Provider; reason: string }
  | { kind: 'provider_chosen'; provider: Provider; device: string }
  | { kind: 'process_started'; pid: number }

export interface RunManner {
  modelPath: string
  /** SHA-256 of the file in hex, already checked; it names the loaded model. */
  modelDigest: string
  profile: RequiredProfile
  /** Unix ms; loading the model counts. */
  deadlineMs: number
}

export interface RunRequest extends RunManner {
  /** Tensor bundle. */
  inputs: Uint8Array
}

export interface RunResult {
  /** Tensor bundle. */
  outputs: Uint8Array
  /** Unix ms around the run itself. */
  startedMs: number
  finishedMs: number
  /** As executed. */
  profile: ExecutionProfile
}

export interface ModelRunner extends AsyncDisposable {
  readonly provider: Provider
  readonly device: string
  /** Runs wait for each other. Throws RunError; whatever happens to one, the next finds a process that works. */
  run(request: RunRequest): Promise<RunResult>
}

export interface PooledRunner extends ModelRunner {
  /**
   * One run for each of the bundles, in one exchange with the process. Throws RunError for all where one of them is at fault.
   * @param limitMs for all of them together, a process' start not counted; beyond it the process is ended as at a deadline
   */
  runEach(manner: RunManner, bundles: readonly Uint8Array[], limitMs?: number): Promise<RunResult[]>
}

interface RunnerOptions {
  provider: 'auto' | Provider
  /** The one GPU that it sees, by PCI bus; null, the default: all, of which CUDA takes the first. */
  device?: number | null
  onEvent?: (event: RunnerEvent) => void
}

/**
 * Starts the process that holds ONNX Runtime, on the wanted provider or (`auto`) on the first of CUDA, WebGPU and CPU that works.
 * Throws RunError `provider_unavailable` with the reasons.
 */
export async function startModelRunner({
  provider,
  device = null,
  onEvent = () => {},
}: RunnerOptions): Promise<PooledRunner> {
  const wanted = provider === 'auto' ? PREFERENCE : [provider]
  const reasons: string[] = []
  for (const candidate of wanted) {
    try {
      const first = await launch(candidate, device, onEvent)
      onEvent({ kind: 'provider_chosen', provider: candidate, device: first.device })
      return modelRunner(candidate, device, first, onEvent)
    } catch (error) {
      if (!(error instanceof RunError)) throw error
      const advice = candidate === 'cuda' ? ' (assay worker install-cuda --check says what is missing)' : ''
      const reason = `${error.message}${advice}`
      onEvent({ kind: 'provider_refused', provider: candidate, reason })
      reasons.push(`${candidate}: ${reason}`)
    }
  }
  throw new RunError('provider_unavailable', reasons.join('; '))
}

interface Launched {
  child: RunnerChild
  device: string
}

async function launch(
  provider: Provider,
  gpu: number | null,
  onEvent: (event: RunnerEvent) => void,
): Promise<Launched> {
  const child = spawnRunnerChild(gpu)
  onEvent({ kind: 'process_started', pid: child.pid })
  try {
    const request = { kind: 'start', provider, gpu: gpu ?? 0 } as const
    const started = await child.request('started', request, [], Date.now() + START_LIMIT_MS)
    return { child, device: started.header.device }
  } catch (error) {
    await child[Symbol.asyncDispose]()
    throw error
  }
}

function modelRunner(
  own: Provider,
  gpu: number | null,
  first: Launched,
  onEvent: (event: RunnerEvent) => void,
): PooledRunner {
  let current = first
  let over: Promise<unknown> = Promise.resolve()
  let waiting = 0
  let closed = false

  async function runNow(
    manner: RunManner,
    bundles: readonly Uint8Array[],
    limitMs: number,
  ): Promise<RunResult[]> {
    const { profile: required, modelPath, modelDigest } = manner
    assertBefore(manner.deadlineMs)
    if (current.child.ended && !closed) current = await launch(own, gpu, onEvent)
    if (closed) throw await closedWhileRunning()
    // Or a process that has just been started would be ended at once.
    assertBefore(manner.deadlineMs)
    const deadlineMs = Math.min(manner.deadlineMs, Date.now() + limitMs)
    const { optimization, threads, precision, provider = own } = required
    const profile = { optimization, threads, precision }
    const sizes = bundles.map(({ length }) => length)
    const request = { kind: 'run', modelPath, modelDigest, provider, profile, sizes } as const
    const { header, body } = await current.child.request('ran', request, bundles, deadlineMs)
    const { runs, device, ort } = header
    let end = 0
    const results = runs.map(({ bytes, batch, startedMs, finishedMs }) => {
      end += bytes
      return {
        outputs: body.subarray(end - bytes, end),
        startedMs,
        finishedMs,
        // The graph names its own types and TF32 is off: nothing here can lower the precision that the model was registered with.
        profile: { ...profile, batch, device, ort, provider },
      }
    })
    // A hostile model's process may say anything.
    if (results.length === bundles.length && end === body.length) return results
    await current.child[Symbol.asyncDispose]()
    throw new RunError('runner_died', `${runs.length} runs of ${end} bytes were answered in ${body.length}`)
  }

  /** A process that was started while the runner was being closed must not be left. */
  async function closedWhileRunning(): Promise<RunError> {
    await current.child[Symbol.asyncDispose]()
    return new RunError('runner_died', 'the runner is closed')
  }

  async function runEach(
    manner: RunManner,
    bundles: readonly Uint8Array[],
    limitMs = Number.POSITIVE_INFINITY,
  ): Promise<RunResult[]> {
    assert(waiting < MAX_WAITING_RUNS, 'more runs wait than any worker leases')
    waiting++
    const results = over.then(() => runNow(manner, bundles, limitMs)).finally(() => waiting--)
    // Its end alone: a chain of results would keep every output that was ever computed.
    over = results.then(
      () => undefined,
      () => undefined,
    )
    return results
  }

  return {
    provider: own,
    device: first.device,
    runEach,
    async run({ inputs, ...manner }) {
      const [result] = await runEach(manner, [inputs])
      assert(result !== undefined, 'one bundle has one result')
      return result
    },

    async [Symbol.asyncDispose]() {
      closed = true
      await current.child[Symbol.asyncDispose]()
      await over
    },
  }
}

function assertBefore(deadlineMs: number): void {
  if (Date.now() < deadlineMs) return
  throw new RunError('deadline_exceeded', 'the deadline passed before the run')
}
