import assert from 'node:assert/strict'
import { openEnergyMeter } from '../energy/open-energy-meter.ts'
import { joinRows, rowsOf, splitRows } from '../work/batch-rows.ts'
import { largestUsefulBatch } from './largest-useful-batch.ts'
import { type Device, type MeteredResult, meteredRunner } from './metered-runner.ts'
import {
  type ModelRunner,
  type PooledRunner,
  type RunnerEvent,
  type RunRequest,
  startModelRunner,
} from './model-runner.ts'
import { RunError, WithdrawnError } from './run-error.ts'
import type { Provider } from './runner-message.ts'

/** A worker holds two leases of 64 jobs, and 16 audits. */
const MAX_QUEUED_RUNS = 256
/** After so short a run a process would idle for as long again before it has the next one. */
const MAX_QUICK_MS = 10

export interface PoolRequest extends RunRequest {
  /** Rows of other requests for the model may run with it: its profile does not ask for a run of its own. */
  mayJoin: boolean
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
  /** What it may run together with, where it may: the same. */
  readonly kind: string
  readonly rows: number
  resolve(result: MeteredResult): void
  reject(error: unknown): void
}

interface Slot {
  readonly runner: PooledRunner
  readonly device: Device
  /** What runs, and what lies with the process behind it. */
  groups: readonly (readonly Waiting[])[]
  /** When what runs began, by performance.now(). */
  beganMs: number
  run(request: RunRequest): Promise<MeteredResult>
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
      slots.push({ runner, device: metered, groups: [], beganMs: 0, run: meteredRunner(runner, metered) })
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
  /** Of which the last run took no longer than MAX_QUICK_MS. */
  const quickKinds = new Set<string>()
  let closed = false

  function pump(): void {
    for (;;) {
      const [idle] = free
      const slot = idle ?? slots.find(takesOneAhead)
      const group = slot === undefined ? null : takeGroup()
      if (slot === undefined || group === null) break
      if (slot === idle) free.shift()
      begin(slot, group)
    }
    if (free.length > 0 || slots.some(isLate)) takeBack()
  }

  function begin(slot: Slot, group: readonly Waiting[]): void {
    if (slot.groups.length === 0) slot.beganMs = performance.now()
    slot.groups = [...slot.groups, group]
    void serve(slot, group).finally(() => {
      if (slot.groups[0] === group) slot.beganMs = performance.now()
      slot.groups = slot.groups.filter((other) => other !== group)
      if (slot.groups.length === 0) free.push(slot)
      pump()
    })
  }

  /** Behind a quick run, for one; and only while enough waits for the others not to want it back. */
  function takesOneAhead(slot: Slot): boolean {
    const [[running] = [], ahead] = slot.groups
    if (ahead !== undefined || queue.length <= slots.length || isLate(slot)) return false
    return [running, queue[0]].every(
      (one) => one !== undefined && limitOf(one) === 1 && quickKinds.has(one.kind),
    )
  }

  function isLate({ beganMs }: Slot): boolean {
    return performance.now() - beganMs > MAX_QUICK_MS
  }

  /** What lies behind a run that isn't quick after all, or while a process has nothing to do, comes back to the queue's head. */
  function takeBack(): void {
    for (const slot of slots) {
      if (slot.groups.length > 1 && (free.length > 0 || isLate(slot))) slot.runner.withdraw()
    }
  }

  /** Rows of one run; undefined where nobody knows yet. */
  function limitOf({ request, kind }: Waiting): number | undefined {
    return request.mayJoin ? limits.get(kind) : 1
  }

  /** The first in the queue, with as many behind it of the same kind as one run has room for. No one waits for company. */
  function takeGroup(): Waiting[] | null {
    const head = queue.shift()
    if (head === undefined) return null
    const limit = limitOf(head) ?? 1
    const group = [head]
    let { rows } = head
    for (const other of limit > 1 ? [...queue] : []) {
      if (rows + other.rows > limit || other.kind !== head.kind || !other.request.mayJoin) continue
      queue.splice(queue.indexOf(other), 1)
      group.push(other)
      rows += other.rows
    }
    return group
  }

  async function serve(slot: Slot, group: readonly Waiting[]): Promise<void> {
    try {
      await measureOnce(slot, group)
      const together = group.length > 1 ? await runTogether(slot, group) : null
      for (const [i, one] of group.entries()) {
        const result = together?.[i]
        if (result !== undefined) one.resolve(result)
        else await runAlone(slot, one)
      }
    } catch (error) {
      if (error instanceof WithdrawnError) queue.unshift(...group)
      else for (const one of group) one.reject(error)
    }
  }

  /** Throws WithdrawnError alone: what lies ahead is a group of one. */
  async function runAlone(slot: Slot, { request, kind, resolve, reject }: Waiting): Promise<void> {
    try {
      const result = await slot.run(request)
      // Loading the model counts.
      if (isLate(slot)) quickKinds.delete(kind)
      else quickKinds.add(kind)
      resolve(result)
    } catch (error) {
      if (error instanceof WithdrawnError) throw error
      reject(error)
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

  /** Null where they don't run together: then each is to be run alone, and bears its own fault. */
  async function runTogether(slot: Slot, group: readonly Waiting[]): Promise<MeteredResult[] | null> {
    const [head] = group
    const inputs = joinRows(group.map(({ request }) => request.inputs))
    if (head === undefined || inputs === null) return null
    const rows = group.map((one) => one.rows)
    const all = rows.reduce((sum, count) => sum + count, 0)
    const deadlineMs = Math.min(...group.map(({ request }) => request.deadlineMs))
    try {
      const result = await slot.run({ ...head.request, inputs, deadlineMs })
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
        const rows = request.mayJoin ? rowsOf(request.inputs) : 1
        queue.push({ request, kind: kindOf(request), rows, resolve, reject })
        pump()
      })
    },
    async [Symbol.asyncDispose]() {
      closed = true
      await parts.disposeAsync()
    },
  }
}

function kindOf({ modelDigest, profile }: RunRequest): string {
  return JSON.stringify([modelDigest, profile.provider, profile.optimization, profile.threads])
}
