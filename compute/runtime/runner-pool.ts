import assert from 'node:assert/strict'
import { type EnergyMeter, energyBetween } from '../energy/energy-meter.ts'
import { openEnergyMeter } from '../energy/open-energy-meter.ts'
import { joinRows, rowsOf, splitRows } from '../work/batch-rows.ts'
import type { Energy } from '../work/receipt.ts'
import { largestUsefulBatch } from './largest-useful-batch.ts'
import {
  type ModelRunner,
  type RunnerEvent,
  type RunRequest,
  type RunResult,
  startModelRunner,
} from './model-runner.ts'
import { RunError } from './run-error.ts'
import type { Provider } from './runner-message.ts'

/** A worker holds two leases of 64 jobs, and 16 audits. */
const MAX_QUEUED_RUNS = 256

export interface PoolRequest extends RunRequest {
  /** Rows of other requests for the model may run with it: its profile does not ask for a run of its own. */
  mayJoin: boolean
}

export interface MeteredResult extends RunResult {
  readonly energy: Energy
}

/** Runner processes side by side; what waits together for one model runs together where it may. */
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
  /** What it may run together with: the same. Null: with nothing. */
  readonly kind: string | null
  readonly rows: number
  resolve(result: MeteredResult): void
  reject(error: unknown): void
}

interface Device {
  readonly meter: EnergyMeter
  busy: number
}

interface Slot {
  readonly runner: ModelRunner
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
  /** Rows from which on a model gains nothing more, by digest and profile; 1 where its rows can't be joined. */
  const limits = new Map<string, number>()
  let closed = false

  function pump(): void {
    while (queue.length > 0) {
      const slot = free.shift()
      if (slot === undefined) return
      void serve(slot, takeGroup()).finally(() => {
        free.push(slot)
        pump()
      })
    }
  }

  /** The first in the queue, with as many behind it of the same kind as one run has room for. No one waits for company. */
  function takeGroup(): Waiting[] {
    const head = queue.shift()
    assert(head !== undefined)
    const limit = head.kind === null ? 1 : (limits.get(head.kind) ?? 1)
    const group = [head]
    let { rows } = head
    for (const other of limit > 1 ? [...queue] : []) {
      if (rows + other.rows > limit || other.kind !== head.kind) continue
      queue.splice(queue.indexOf(other), 1)
      group.push(other)
      rows += other.rows
    }
    return group
  }

  async function serve({ runner, device }: Slot, group: readonly Waiting[]): Promise<void> {
    device.busy += 1
    try {
      await measureOnce(runner, group)
      const together = group.length > 1 ? await runTogether(runner, device, group) : null
      for (const [i, one] of group.entries()) {
        const result = together?.[i]
        if (result !== undefined) one.resolve(result)
        else await runMetered(runner, device, one.request).then(one.resolve, one.reject)
      }
    } catch (error) {
      for (const one of group) one.reject(error)
    } finally {
      device.busy -= 1
    }
  }

  /** The warm-up of a model whose rows may be joined: found out when the first of them comes. */
  async function measureOnce(runner: ModelRunner, [head]: readonly Waiting[]): Promise<void> {
    if (head === undefined || head.kind === null || limits.has(head.kind)) return
    limits.set(head.kind, 1)
    limits.set(head.kind, await largestUsefulBatch(runner, head.request))
  }

  /** Null where they don't run together: then each is to be run alone, and bears its own fault. */
  async function runTogether(
    runner: ModelRunner,
    device: Device,
    group: readonly Waiting[],
  ): Promise<MeteredResult[] | null> {
    const [head] = group
    const inputs = joinRows(group.map(({ request }) => request.inputs))
    if (head === undefined || inputs === null) return null
    const rows = group.map((one) => one.rows)
    const all = rows.reduce((sum, count) => sum + count, 0)
    const deadlineMs = Math.min(...group.map(({ request }) => request.deadlineMs))
    try {
      const result = await runMetered(runner, device, { ...head.request, inputs, deadlineMs })
      const { method, millijoules } = result.energy
      const split = splitRows(result.outputs, rows)
      return (split ?? []).map((outputs, i) => {
        const share = millijoules === null ? null : Math.round((millijoules * (rows[i] ?? 0)) / all)
        return { ...result, outputs, energy: { method, millijoules: share } }
      })
    } catch (error) {
      if (!(error instanceof RunError)) throw error
      return null
    }
  }

  return {
    provider: first.runner.provider,
    device: first.runner.device,
    onePerDevice: [...new Map(slots.map(({ device, runner }) => [device, runner])).values()],
    run(request) {
      assert(queue.length < MAX_QUEUED_RUNS, 'more runs wait than any worker leases')
      if (closed) return Promise.reject(new RunError('runner_died', 'the runner is closed'))
      return new Promise((resolve, reject) => {
        const kind = request.mayJoin ? kindOf(request) : null
        queue.push({ request, kind, rows: kind === null ? 1 : rowsOf(request.inputs), resolve, reject })
        pump()
      })
    },
    async [Symbol.asyncDispose]() {
      closed = true
      await parts.disposeAsync()
    },
  }
}

async function runMetered(runner: ModelRunner, device: Device, request: RunRequest): Promise<MeteredResult> {
  const before = device.meter.millijoules()
  const result = await runner.run(request)
  // What runs on the device at the same time shares what it uses: nobody can tell them apart.
  const millijoules = energyBetween(before, device.meter.millijoules(), device.busy)
  return { ...result, energy: { method: device.meter.method, millijoules } }
}

function kindOf({ modelDigest, profile }: RunRequest): string {
  return JSON.stringify([modelDigest, profile.provider, profile.optimization, profile.threads])
}
