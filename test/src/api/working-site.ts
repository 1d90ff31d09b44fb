import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeModel } from '../../../compute/onnx/model.ts'
import { runWorker } from '../../../compute/worker/run-worker.ts'
import type { WorkerEvent } from '../../../compute/worker/worker-event.ts'
import type { RegtestNode } from '../../../regtest/start-bitcoind.ts'
import { exactProfile } from '../../../src/client/exact-profile.ts'
import { mlp } from '../../compute/onnx/sample-models.ts'
import { cpuWorker } from '../../compute/worker/cpu-worker.ts'
import { openSite } from '../coordinator/site.ts'
import { tinyMarket } from '../coordinator/tiny-market.ts'

/** A coordinator that serves `mlp` and `identity` for nothing, and a real worker with ONNX Runtime. */
export async function openWorkingSite(node: RegtestNode) {
  const { models, ...market } = tinyMarket({ dataset: null })
  const own = exactProfile()
  const [identity] = models
  if (identity === undefined) throw new Error('the tiny market has a model')
  const subnet = {
    ...market,
    models: [
      { ...identity, profile: own },
      { ...identity, name: 'mlp', file: encodeModel(mlp()), profile: own },
    ],
  }
  const site = await openSite(node, { subnets: [subnet] })
  await site.begin(0)
  const dataDir = mkdtempSync(join(tmpdir(), 'assay-working-'))
  const events: WorkerEvent[] = []
  const stop = new AbortController()
  const onEvent = (event: WorkerEvent) => events.push(event)
  const worker = runWorker(cpuWorker({ coordinatorUrl: site.url, dataDir, signal: stop.signal, onEvent }))
  // What ends it early is told where the test closes it.
  worker.catch(() => stop.abort())

  return {
    site,
    events,
    /** Told to stop, the worker delivers its receipts first. */
    async stopWorker() {
      stop.abort()
      await worker
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await worker
      await site[Symbol.asyncDispose]()
      rmSync(dataDir, { recursive: true })
    },
  }
}
