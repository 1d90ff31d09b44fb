import assert from 'node:assert/strict'
import { openEnergyMeter } from '../energy/open-energy-meter.ts'
import { joinRows, rowsOf, splitRows } from '../work/batch-rows.ts'
import { largestUsefulBatch } from './largest-useful-batch.ts'
import {
  type ModelRunner,
  type PooledRunner,
  type RunManner,
  type RunnerEvent,
  type RunRequest,
  startModelRunner,
} from './model-runner.ts'
import { RunError } from './run-error.ts'
import { type Device, type MeteredResult, runMetered } from './run-metered.ts'
import { MAX_SESSIONS, type Provider } from './runner-message.ts'

/** A worker holds two leases of 64 jobs, and 16 audits. */
const MAX_QUEUED_RUNS = 256
/** Of runs in one exchange: far more than the exchange itself takes, and little of what a requester waits. */
const MAX_EXCHANGE_MS = 10
/** Where one of them never ends: the process ends then, and each is run alone. */
const MAX_STALL_MS = 1_000
/** Larger bundles gain nothing by each other's company. */
const MAX_EXCHANGE_BYTES = 4 * 1024 * 1024

export interface PoolRequest extends RunRequest {
  /** Rows of other requests for the model may run with it: its profile does not ask for a run of its own. */
  mayJoin: boolean
}

/**
 * Runner processes side by side. What waits together for one model runs as one batch where it may; where it may not but is
 * quick, one after the other in one exchange with a process.
 */
export interface RunnerPool extends AsyncDisposable {
  readonly provider: Provider
  readonly device: string
  /** To be tried before there is work for them. */
  readonly onePerDevice: readonly ModelRunner[]
  /** In order of arrival, but for what joins one before it. Throws RunError; one request's failure is no other's. */
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
  /** What a run took last, by kind, of no more of them than the process holds models: so it has each of these loaded, while it lives. */
  readonly runMs: Map<string, number>
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
      slots.push({ runner, device: metered, runMs: new Map() })
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
  let closed = false

  function pump(): void {
    for (;;) {
      const [head] = queue
      const slot = head === undefined ? undefined : free.shift()
      if (head === undefined || slot === undefined) return
      void serve(slot, takeGroup(slot, head)).finally(() => {
        free.push(slot)
        pump()
      })
    }
  }

  /** The head of the queue, with as many of its kind behind it as there is room for. No one waits for company. */
  function takeGroup(slot: Slot, head: Waiting): Waiting[] {
    const stallEndsMs = Date.now() + MAX_STALL_MS
    // Of a batch all end together: the nearest deadline is everybody's.
    const hasTime = ({ request }: Waiting) => request.mayJoin || request.deadlineMs > stallEndsMs
    const mayRunBeside = (one: Waiting) => one.kind === head.kind && !one.isAlone && hasTime(one)
    let room = mayRunBeside(head) ? roomOf(slot, head) : 0
    const group: Waiting[] = []
    for (const one of queue.splice(0)) {
      const size = one.request.mayJoin ? one.rows : 1
      const isTaken = one === head || (size <= room && mayRunBeside(one))
      if (isTaken) room -= size
      const to = isTaken ? group : queue
      to.push(one)
    }
    return group
  }

  /** In rows where they are joined, else in runs: of what waits, no process takes the others' part. */
  function roomOf({ runMs }: Slot, { kind, request }: Waiting): number {
    if (request.mayJoin) return limits.get(kind) ?? 1
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
  async function measureOnce({ runner, device, runMs }: Slot, [head]: readonly Waiting[]): Promise<void> {
    if (head === undefined || !head.request.mayJoin || limits.has(head.kind)) return
    limits.set(head.kind, 1)
    device.busy += 1
    try {
      limits.set(head.kind, await largestUsefulBatch(runner, head.request))
    } finally {
      device.busy -= 1
      // What is tried may have ended the process.
      runMs.clear()
    }
  }

  /** A result for each; null where they don't run together. Of one alone: throws RunError. */
  async function runTogether(slot: Slot, group: readonly Waiting[]): Promise<MeteredResult[] | null> {
    const [head] = group
    assert(head !== undefined, 'a group has a head')
    const deadlineMs = Math.min(...group.map(({ request }) => request.deadlineMs))
    const run = head.request.mayJoin && group.length > 1 ? runJoined : runEach
    const beganMs = performance.now()
    try {
      const results = await run(slot, { ...head.request, deadlineMs }, group)
      if (results !== null) noteRun(slot, head, (performance.now() - beganMs) / group.length)
      return results
    } catch (error) {
      // The process may have ended.
      slot.runMs.clear()
      if (group.length > 1 && error instanceof RunError) return null
      throw error
    }
  }

  function noteRun({ runMs }: Slot, { kind }: Waiting, tookMs: number): void {
    // A Map keeps the order of insertion: the first is the one that ran longest ago.
    runMs.delete(kind)
    runMs.set(kind, tookMs)
    const [oldest] = runMs.keys()
    if (runMs.size > MAX_SESSIONS && oldest !== undefined) runMs.delete(oldest)
  }

  async function runEach(
    { runner, device }: Slot,
    manner: RunManner,
    group: readonly Waiting[],
  ): Promise<MeteredResult[]> {
    const bundles = group.map(({ request }) => request.inputs)
    return runMetered(runner, device, manner, bundles, group.length > 1 ? MAX_STALL_MS : undefined)
  }

  async function runJoined(
    { runner, device }: Slot,
    manner: RunManner,
    group: readonly Waiting[],
  ): Promise<MeteredResult[] | null> {
    const inputs = joinRows(group.map((one) => one.request.inputs))
    if (inputs === null) return null
    const [result] = await runMetered(runner, device, manner, [inputs])
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
