import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { deviceName } from '../../../compute/runtime/device-name.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { CLI } from '../../../src/demo/program.ts'
import { startHttpPeer } from '../../compute/worker/http-peer.ts'
import { openSite } from '../coordinator/site.ts'
import { TINY_PROFILE, tinyMarket } from '../coordinator/tiny-market.ts'

const MODELS = tinyMarket().models.map((model) => ({
  ...model,
  profile: { comparison: 'exact' as const, ...TINY_PROFILE, device: deviceName('cpu') },
}))
const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

test('a worker that gets SIGTERM runs and delivers what it has leased, leases nothing more, and exits with 0', async () => {
  await using site = await openSite(node, { subnets: [tinyMarket({ dataset: null, models: MODELS })] })
  await site.begin(0)
  const jobs = site.coordinator().books.db.prepare('SELECT state FROM job').pluck()
  const { requests } = site.house().desks
  const modelAsked = Promise.withResolvers<void>()
  const polling = Promise.withResolvers<void>()
  const dropped = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  let isReleased = false
  // Between worker and coordinator: what it leases first can't be run before it has been told to stop, and has let go of its next poll.
  const line = await startHttpPeer(async ({ url = '', method = '', headers }, body, response) => {
    if (url.startsWith('/blobs/')) {
      modelAsked.resolve()
      await released.promise
    }
    if (url === '/v1/leases' && jobs.all().length > 0 && !isReleased) {
      polling.resolve()
      await once(response, 'close')
      return dropped.resolve()
    }
    const { authorization = '', 'content-type': type = '' } = headers
    const answer = await fetch(new URL(url, site.url), {
      method,
      ...(method === 'GET'
        ? {}
        : { body: new Uint8Array(body), headers: { authorization, 'content-type': type } }),
    })
    response.writeHead(answer.status).end(new Uint8Array(await answer.arrayBuffer()))
  })
  onTestFinished(line.close)
  const data = mkdtempSync(join(tmpdir(), 'assay-drain-'))
  onTestFinished(() => rmSync(data, { recursive: true }))
  const args = [
    'worker',
    '--coordinator',
    line.url,
    '--address',
    ADDRESS,
    '--data',
    data,
    '--provider',
    'cpu',
  ]
  const worker = spawn(process.execPath, [CLI, ...args, '--audit', 'never'], { stdio: 'ignore' })
  onTestFinished(() => void worker.kill('SIGKILL'))
  const exited = once(worker, 'exit')

  const asked = ask(site.url, 1.5)
  await Promise.all([modelAsked.promise, polling.promise])
  expect(jobs.all()).toEqual(['leased'])
  worker.kill('SIGTERM')
  await dropped.promise
  const late = ask(site.url, 2.5)
  await expect.poll(() => requests.length).toBe(2)
  isReleased = true
  released.resolve()
  expect(await exited).toEqual([0, null])
  expect(await asked).toMatchObject({ outputs: [{ data: [1.5, -1.5] }] })
  expect(jobs.all()).toEqual(['submitted'])
  expect(requests.length).toBe(1)
  requests.close()
  expect(await late).toMatchObject({ code: 'shutting_down' })
})

/** With the longest patience: how long a worker takes to start is no part of the test. */
async function ask(url: string, value: number): Promise<unknown> {
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [value, -value] }]
  const response = await fetch(new URL('/v2/models/identity/infer', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs, parameters: { timeout: 300_000_000 } }),
  })
  return response.json()
}
