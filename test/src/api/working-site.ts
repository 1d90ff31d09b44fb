import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { encodeModel } from '../../../compute/onnx/model.ts'
import { deviceName } from '../../../compute/runtime/device-name.ts'
import { newWorkerKey } from '../../../compute/work/worker-key.ts'
import { runWorker } from '../../../compute/worker/run-worker.ts'
import type { WorkerEvent } from '../../../compute/worker/worker-event.ts'
import type { RegtestNode } from '../../../regtest/start-bitcoind.ts'
import { mlp } from '../../compute/onnx/sample-models.ts'
import { openSite } from '../coordinator/site.ts'
import { TINY_PROFILE, tinyMarket } from '../coordinator/tiny-market.ts'

const { version: ort } = z
  .object({ version: z.string() })
  .parse(createRequire(import.meta.url)('onnxruntime-node/package.json'))

/** A coordinator that serves `mlp` and `identity` for nothing, and a real worker with ONNX Runtime. */
export async function openWorkingSite(node: RegtestNode) {
  const { models, ...market } = tinyMarket({ dataset: null })
  const own = { comparison: 'exact' as const, ...TINY_PROFILE, device: deviceName('cpu'), ort }
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
  const worker = runWorker({
    despiteFaults: false,
    coordinatorUrl: site.url,
    dataDir,
    secretKey: newWorkerKey(),
    address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080',
    thresholdSats: 0n,
    provider: 'cpu',
    devices: null,
    concurrency: 1,
    maxModelBytes: 2 ** 30,
    audit: 'never',
    trustLog: () => () => {},
    signal: stop.signal,
    onEvent: (event) => events.push(event),
  })
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
