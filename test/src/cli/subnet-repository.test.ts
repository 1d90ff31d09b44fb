import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeModel } from '../../../compute/onnx/model.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { renderConfig } from '../../../src/config/render-config.ts'
import { mlp } from '../../compute/onnx/sample-models.ts'
import { openSite, type Site, TOKEN } from '../coordinator/site.ts'
import { TINY_MODEL } from '../coordinator/tiny-market.ts'
import { runCli } from './run-cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-repository-'))
const GOODS = 'spdx = "MIT"\nsource = "made by the test"\nredistributable = true\n'
const FOR_SPEED = 'objective = { name = "latency", targetMs = 500, limitMs = 5000 }'

let node: RegtestNode
let site: Site
beforeAll(async () => {
  node = await startBitcoind()
  site = await openSite(node)
  put('assay.toml', renderConfig(site.config))
  writeFileSync(join(site.config.dataDir, 'operator-token'), TOKEN)
  put('models/mlp/6/model.onnx', TINY_MODEL)
  put('models/mlp/7/model.onnx', encodeModel(mlp()))
  put('models/mlp/config.pbtxt', 'max_batch_size: 8 dynamic_batching { preferred_batch_size: [ 4, 8 ] }')
  put('models/broken/config.pbtxt', 'platform: "tensorrt_plan"')
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await node.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('a folder that Triton serves becomes a subnet, and requests name its versions', async () => {
  const added = await add(`${FOR_SPEED}\n[[repositories]]\nfolder = "models"\nmodels = ["mlp"]\n${GOODS}`)
  expect(added).toMatchObject({ exitCode: 0, stderr: '' })
  expect(JSON.parse(added.stdout)).toEqual({
    name: 'vision',
    index: expect.any(Number),
    models: [{ name: 'mlp', version: 7 }],
    ignored: { mlp: ['dynamic_batching'] },
  })
  expect(await get('/v2/models/mlp/versions/7')).toMatchObject({ status: 200, body: { versions: ['7'] } })
  expect(await get('/v2/models/mlp/versions/6')).toMatchObject({
    status: 404,
    body: { code: 'version_unknown' },
  })
  const { body } = await get('/v1/subnets')
  // Of the layers 64 × 128 and 128 × 10.
  expect(body).toContainEqual(
    expect.objectContaining({
      name: 'vision',
      objective: { name: 'latency', targetMs: 500, limitMs: 5_000 },
      models: [expect.objectContaining({ name: 'mlp', version: 7, unitsPerItem: 9_472, spdx: 'MIT' })],
    }),
  )
})

test.each([
  [
    'a model of another platform',
    `[[repositories]]\nfolder = "models"\n${GOODS}`,
    'repository_platform_unsupported',
  ],
  ['a folder that is not there', `[[repositories]]\nfolder = "none"\n${GOODS}`, 'repository_unreadable'],
  [
    'a latency without its limit',
    `objective = { name = "latency", targetMs = 500 }\n[[repositories]]\nfolder = "models"\n${GOODS}`,
    'subnet_file_invalid',
  ],
  [
    'a licence in prose',
    `[[repositories]]\nfolder = "models"\n${GOODS.replace('MIT', 'the MIT one')}`,
    'subnet_file_invalid',
  ],
])('%s is refused before anything is sent', async (_what, models, code) => {
  const refused = await add(models)
  expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
  expect(JSON.parse(refused.stderr)).toMatchObject({ code })
})

test.each([
  ['a weight of nothing', 'weight = 0', '', /at weight/],
  ['a dataset of no items', '', '[dataset]\nfolder = "empty"\nperEpoch = 1\n', /at dataset.items/],
])('%s is told by its name', async (_what, first, last, where) => {
  mkdirSync(join(folder, 'empty'), { recursive: true })
  const refused = await add(
    `${first}\n[[repositories]]\nfolder = "models"\nmodels = ["mlp"]\n${GOODS}${last}`,
  )
  expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
  expect(JSON.parse(refused.stderr)).toEqual({
    code: 'subnet_malformed',
    error: expect.stringMatching(where),
  })
})

function put(path: string, bytes: Uint8Array | string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), bytes)
}

async function get(path: string) {
  const response = await fetch(site.url + path)
  return { status: response.status, body: await response.json() }
}

function add(models: string) {
  put('vision.toml', `name = "vision"\nauditFloor = "1/100"\n${models}`)
  const args = [join(folder, 'vision.toml'), '--url', site.url, '--config', join(folder, 'assay.toml')]
  return runCli('subnet', 'add', ...args, '--json')
}
