import assert from 'node:assert/strict'
import { openEnergyMeter } from '../energy/open-energy-meter.ts'
import { joinRows, rowsOf, splitRows } from '../work/batch-rows.ts'
import { largestUsefulBatch } from './largest-useful-batch.ts'
import {
  type ModelRunner,
  type PooledRunner,
  type RunnerEvent,
  type RunRequest,
  startModelRunner,
} from './model-runner.ts'
import { RunError } from './run-error.ts'
import { type Device, type MeteredResult, runMetered } from './run-metered.ts'
import type { Provider } from './runner-message.ts'

/** A worker holds two leases of 64 jobs, and 16 audits. */
const MAX_QUEUED_RUNS = 256
/** Of runs in one exchange: far more than the exchange itself takes, and no requester's wait. */
const MAX_EXCHANGE_MS = 10
/** Where one of them never ends: the process ends then, and each is run alone. */
const MAX_STALL_MS = 1_000
/** Larger bundles gain nothing by each other's company. */
const MAX_EXCHANGE_BYTES = 4 * 1024 * 1024
/** The time of a run is kept for so many models and sizes of inputs. */
const MAX_TIMED_KINDS = 256

export interface PoolRequest extends RunRequest {
  /** Rows of other requests for the model may run with it: its profile does not ask for a run of its own. */
  mayJoin: boolean
}

/**
 * Runner processes side by side; what waits together for one model runs as one batch where it may, and where it may not but is quick,
 * one after the other in one exchange with a process.
 */
export interface RunnerPool extends AsyncDisposable {
  readonly provider: Provider
  readonly device: string
  /** To be tried before there is work for them. */
  readonly onePerDevice: readonly ModelRunner[]
  /** In order of arrival. Throws RunError; one request's failure is no other's. */
  run(request: PoolRequest): Promise<MeteredResult>
}

export interface PoolOptions {
  provider: 'auto' | Provider
  /** GPUs as CUDA counts them in the order of their PCI bus; null: the one that CUDA takes by itself. */
  devices: readonly number[] | null
  /** Processes for each device. */
  concurrency: number
  onEvent: (event: RunnerEvent) => void
}

interface Waiting {
  readonly request: PoolRequest
  /** What it may run with: the same. */
  readonly kind: string
  readonly rows: number
  /** Ran with others in vain: that may be its own fault, which is no other's. */
  readonly isAlone: boolean
  resolve(result: MeteredResult): void
  reject(error: unknown): void
}

interface Slot {
  readonly runner: PooledRunner
  readonly device: Device
}

/** Throws RunError `provider_unavailable`. */
export async function startRunnerPool(o: PoolOptions): Promise<RunnerPool> {
  await using stack = new AsyncDisposableStack()
  const slots: Slot[] = []
  for (const device of o.devices ?? [null]) {
    let metered: Device | null = null
    for (let process = 0; process < o.concurrency; process += 1) {
      const provider: PoolOptions['provider'] = slots[0]?.runner.provider ?? o.provider
      const runner = stack.use(await startModelRunner({ provider, device, onEvent: o.onEvent }))
      metered ??= { meter: stack.use(openEnergyMeter(runner.provider, device ?? 0)), busy: 0 }
      slots.push({ runner, device: metered })
    }
  }
  return poolOver(slots, stack.move())
}

function poolOver(slots: readonly Slot[], parts: AsyncDisposableStack): RunnerPool {
  const [first] = slots
  assert(first !== undefined, 'a pool has at least one runner')
  const free = [...slots]
  const queue: Waiting[] = []
  /** Rows from which on a model gains nothing more, by kind; 1 where its rows can't be joined. */
  const limits = new Map<string, number>()
  /** What a run took last, by kind. */
  const runMs = new Map<string, number>()
  let closed = false

  function pump(): void {
    for (;;) {
      const [head] = queue
      const slot = head === undefined ? undefined : free.shift()
      if (head === undefined || slot === undefined) return
      void serve(slot, takeGroup(head)).finally(() => {
        free.push(slot)
        pump()
      })
    }
  }

  /** The head of the queue, with as many of its kind behind it as there is room for. No one waits for company. */
  function takeGroup(head: Waiting): Waiting[] {
    let room = head.request.mayJoin ? (limits.get(head.kind) ?? 1) : runsAtOnce(head)
    const group = queue.filter((one) => {
      const size = one.request.mayJoin ? one.rows : 1
      const fits = !head.isAlone && !one.isAlone && one.kind === head.kind && size <= room
      if (one !== head && !fits) return false
      room -= size
      return true
    })
    queue.splice(0, queue.length, ...queue.filter((one) => !group.includes(one)))
    return group
  }

  /** Of what waits, no process takes the others' part. */
  function runsAtOnce({ kind, request }: Waiting): number {
    const inTime = MAX_EXCHANGE_MS / (runMs.get(kind) ?? MAX_EXCHANGE_MS)
    const inBytes = MAX_EXCHANGE_BYTES / request.inputs.length
    return Math.floor(Math.min(inTime, inBytes, Math.ceil(queue.length / slots.length)))
  }

  async function serve(slot: Slot, group: readonly Waiting[]): Promise<void> {
    try {
      await measureOnce(slot, group)
      const results = await runTogether(slot, group)
      // Each bears its own fault, and none another's.
      if (results === null) queue.unshift(...group.map((one) => ({ ...one, isAlone: true })))
      else for (const [i, result] of results.entries()) group[i]?.resolve(result)
    } catch (error) {
      for (const one of group) one.reject(error)
    }
  }

  /** The warm-up of a model whose rows may be joined: found out when the first of them comes. */
  async function measureOnce({ runner, device }: Slot, [head]: readonly Waiting[]): Promise<void> {
    if (head === undefined || !head.request.mayJoin || limits.has(head.kind)) return
    limits.set(head.kind, 1)
    device.busy += 1
    try {
      limits.set(head.kind, await largestUsefulBatch(runner, head.request))
    } finally {
      device.busy -= 1
    }
  }

  /** A result for each; null where they don't run together. Of one alone: throws RunError. */
  async function runTogether(slot: Slot, group: readonly Waiting[]): Promise<MeteredResult[] | null> {
    const [head] = group
    assert(head !== undefined, 'a group has a head')
    if (group.length === 1) return runEach(slot, head, group, head.request.deadlineMs)
    const deadlineMs = Math.min(...group.map(({ request }) => request.deadlineMs))
    try {
      return await (head.request.mayJoin
        ? runJoined(slot, head, group, deadlineMs)
        : runEach(slot, head, group, Math.min(deadlineMs, Date.now() + MAX_STALL_MS)))
    } catch (error) {
      if (!(error instanceof RunError)) throw error
      runMs.delete(head.kind)
      return null
    }
  }

  async function runEach(
    { runner, device }: Slot,
    { request, kind }: Waiting,
    group: readonly Waiting[],
    deadlineMs: number,
  ): Promise<MeteredResult[]> {
    const bundles = group.map((one) => one.request.inputs)
    const beganMs = performance.now()
    const results = await runMetered(runner, device, { ...request, deadlineMs }, bundles)
    runMs.set(kind, (performance.now() - beganMs) / results.length)
    const [oldest] = runMs.keys()
    if (runMs.size > MAX_TIMED_KINDS && oldest !== undefined) runMs.delete(oldest)
    return results
  }

  async function runJoined(
    { runner, device }: Slot,
    { request }: Waiting,
    group: readonly Waiting[],
    deadlineMs: number,
  ): Promise<MeteredResult[] | null> {
    const inputs = joinRows(group.map((one) => one.request.inputs))
    if (inputs === null) return null
    const [result] = await runMetered(runner, device, { ...request, deadlineMs }, [inputs])
    assert(result !== undefined, 'one bundle has one result')
    const rows = group.map((one) => one.rows)
    const all = rows.reduce((sum, count) => sum + count, 0)
    const { method, millijoules } = result.energy
    const outputs = splitRows(result.outputs, rows)
    if (outputs === null) return null
    return outputs.map((bundle, i) => {
      const share = millijoules === null ? null : Math.round((millijoules * (rows[i] ?? 0)) / all)
      return { ...result, outputs: bundle, energy: { method, millijoules: share } }
    })
  }

  return {
    provider: first.runner.provider,
    device: first.runner.device,
    onePerDevice: [...new Map(slots.map(({ device, runner }) => [device, runner])).values()],
    run(request) {
      assert(queue.length < MAX_QUEUED_RUNS, 'more runs wait than any worker leases')
      if (closed) return Promise.reject(new RunError('runner_died', 'the runner is closed'))
      return new Promise((resolve, reject) => {
        const rows = request.mayJoin ? rowsOf(request.inputs) : 1
        queue.push({ request, kind: kindOf(request), rows, isAlone: false, resolve, reject })
        pump()
      })
    },
    async [Symbol.asyncDispose]() {
      closed = true
      await parts.disposeAsync()
    },
  }
}

/** One model by one profile; where each run is its own, inputs of one size, which take as long as each other. */
function kindOf({ modelDigest, profile, mayJoin, inputs }: PoolRequest): string {
  const bytes = mayJoin ? null : inputs.length
  return JSON.stringify([modelDigest, profile.provider, profile.optimization, profile.threads, bytes])
}
