import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { type InferenceClient, openClient } from '../../../src/oip-client/open-client.ts'
import { openWorkingSite } from '../api/working-site.ts'

let node: RegtestNode
let working: Awaited<ReturnType<typeof openWorkingSite>>
let client: InferenceClient
beforeAll(async () => {
  node = await startBitcoind()
  working = await openWorkingSite(node)
  client = openClient({ url: working.site.url })
})
afterAll(async () => {
  await working[Symbol.asyncDispose]()
  await node.stop()
})

const x = { shape: [1, 2], data: Float32Array.of(1.5, Number.NaN) }

test('says what is served and whether it is ready', async () => {
  expect(await client.isReady()).toBe(true)
  expect(await client.isReady('identity')).toBe(true)
  expect(await client.isReady('nope')).toBe(false)
  expect(await client.metadata('mlp')).toEqual({
    name: 'mlp',
    versions: ['1'],
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 64] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 10] }],
  })
})

test('the example of the README runs as it stands there', async () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  const [, example = ''] = /```js\n(import \{ openClient \}.*?)```/s.exec(readme) ?? []
  const source = new URL('../../../src/oip-client/open-client.ts', import.meta.url).href
  const program = example
    .replace("'assay/client'", `'${source}'`)
    .replace('http://127.0.0.1:8380', working.site.url)
    .replace("'digits'", "'mlp'")
    .replace('{ pixels }', '{ x: pixels }')
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program])
  expect(stdout).toMatch(/Float32Array\(10\).*[0-9a-f]{64}/s)
})

test('asks with typed arrays, keeps the bits, and checks the proof of the receipt that it is given', async () => {
  const { outputs, receiptId } = await client.infer('identity', {
    inputs: { x },
    outputs: ['y'],
    priority: 1,
  })
  expect(outputs).toEqual({ y: { datatype: 'FP32', shape: [1, 2], data: x.data } })
  expect(receiptId).toMatch(/^[0-9a-f]{64}$/)
  const many = await client.infer('mlp', {
    inputs: { x: { shape: [300, 64], data: new Float32Array(19_200) } },
  })
  expect(many.outputs.y?.shape).toEqual([300, 10])
  expect(many.outputs.y?.data).toHaveLength(3_000)

  await working.stopWorker()
  await working.site.anchorAll()
  const headerAt = async (height: number) => {
    const hash = await node.rpc.call('getblockhash', height)
    return Buffer.from(String(await node.rpc.call('getblockheader', hash, false)), 'hex')
  }
  const report = await client.verifiedProof(receiptId, { headerAt })
  expect(report).toMatchObject({ ok: true, existed: true, receiptId })
})

test('a refusal has the coordinator’s code and status', async () => {
  const wrong = client.infer('identity', { inputs: { x: { ...x, shape: [2, 1] } } })
  await expect(wrong).rejects.toMatchObject({ code: 'shape_mismatch', status: 400 })
  await expect(client.metadata('nope')).rejects.toMatchObject({ code: 'model_unknown', status: 404 })
  await expect(client.proof('no id')).rejects.toMatchObject({ code: 'receipt_id_malformed', status: 400 })
})

test('nobody at the address is `unreachable`', async () => {
  const nobody = openClient({ url: 'http://127.0.0.1:1' })
  await expect(nobody.isReady()).rejects.toMatchObject({ code: 'unreachable', status: null })
})

test('an abort ends a request and a wait for a proof', async () => {
  const reason = new Error('enough')
  await expect(client.isReady(undefined, AbortSignal.abort(reason))).rejects.toBe(reason)
  const stop = new AbortController()
  const waiting = client.proof('ab'.repeat(32), stop.signal)
  stop.abort(reason)
  await expect(waiting).rejects.toBe(reason)
})
