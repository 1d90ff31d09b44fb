import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { graph, model, node, valueInfo } from '../../../compute/onnx/graph-builder.ts'
import { encodeModel } from '../../../compute/onnx/model.ts'
import { deviceName } from '../../../compute/runtime/device-name.ts'
import { encodeTensorBundle } from '../../../compute/work/tensor-bundle.ts'
import { runWorker, type WorkerOptions } from '../../../compute/worker/run-worker.ts'
import type { WorkerEvent } from '../../../compute/worker/worker-event.ts'
import { cpuWorker } from './cpu-worker.ts'
import { CPU_PROFILE, type PeerCoordinator, startPeerCoordinator } from './peer-coordinator.ts'

const { version: ort } = createRequire(import.meta.url)('onnxruntime-node/package.json') as {
  version: string
}
export const profile = { ...CPU_PROFILE, device: deviceName('cpu'), ort }

/** y = x + x */
export const doubler = xWithX('Add')
/** y = x · x */
export const squarer = xWithX('Mul')

function xWithX(operator: string): Uint8Array {
  return encodeModel(
    model(
      graph(operator, {
        input: [valueInfo('x', 'FP32', ['N'])],
        output: [valueInfo('y', 'FP32', ['N'])],
        node: [node(operator, ['x', 'x'], ['y'])],
      }),
    ),
  )
}

export function bundle(name: string, ...values: number[]): Uint8Array {
  const data = new Uint8Array(Float32Array.from(values).buffer)
  return encodeTensorBundle([{ name, datatype: 'FP32', shape: [values.length], data }])
}

/** Workers that run in this process, with ONNX Runtime in theirs, and a coordinator in memory, gone after the test. */
interface WorkerTrial {
  readonly peer: PeerCoordinator
  readonly stop: AbortController
  readonly events: readonly WorkerEvent[]
  start(options?: Partial<WorkerOptions>): Promise<void>
  /** Until `count` events of that type have come; the worker's end, if that comes first, is the test's. */
  seen(type: WorkerEvent['type'], count: number, worker: Promise<void>): Promise<void>
}

export async function openWorkerTrial(): Promise<WorkerTrial> {
  const peer = await startPeerCoordinator()
  const dataDir = mkdtempSync(join(tmpdir(), 'assay-worker-'))
  onTestFinished(async () => {
    await peer.close()
    rmSync(dataDir, { recursive: true })
  })
  const stop = new AbortController()
  const events: WorkerEvent[] = []
  const waiting: (() => void)[] = []
  function onEvent(event: WorkerEvent): void {
    events.push(event)
    for (const wake of waiting.splice(0)) wake()
  }
  return {
    peer,
    stop,
    events,
    start: (options = {}) =>
      runWorker(cpuWorker({ coordinatorUrl: peer.url, dataDir, signal: stop.signal, onEvent, ...options })),
    async seen(type, count, worker) {
      const ended = worker.then(() => {
        throw new Error('the worker has ended')
      })
      while (events.filter((event) => event.type === type).length < count) {
        await Promise.race([ended, new Promise<void>((resolve) => waiting.push(resolve))])
      }
    },
  }
}
