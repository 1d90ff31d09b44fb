import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import express from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeModel } from '../../../compute/onnx/model.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { listen } from '../../../src/api/listen.ts'
import type { Inference } from '../../../src/oip-client/infer-message.ts'
import {
  type InferenceClient,
  type InferenceReader,
  openClient,
} from '../../../src/oip-client/open-client.ts'
import { mlp } from '../../compute/onnx/sample-models.ts'
import { openWorkingSite } from '../api/working-site.ts'
import { TINY_MODEL } from '../coordinator/tiny-market.ts'

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

describe('an answer', () => {
  let named: Inference
  let many: Inference
  let reader: InferenceReader
  beforeAll(async () => {
    named = await client.infer('identity', { inputs: { x }, outputs: ['y'], priority: 1 })
    const reused = new Float32Array(19_200)
    many = await client.infer('mlp', { inputs: { x: { shape: [300, 64], data: reused } } })
    reused.fill(1)
    await working.stopWorker()
    await working.site.anchorAll()
    const headerAt = async (height: number) => {
      const hash = await node.rpc.call('getblockhash', height)
      return Buffer.from(String(await node.rpc.call('getblockheader', hash, false)), 'hex')
    }
    reader = { headerAt }
  })

  test('to typed arrays keeps the bits, and the proof of its receipt is checked', async () => {
    const { outputs, receiptId } = named
    expect(outputs).toEqual({ y: { datatype: 'FP32', shape: [1, 2], data: x.data } })
    expect(receiptId).toMatch(/^[0-9a-f]{64}$/)
    expect(many.outputs.y?.shape).toEqual([300, 10])
    expect(many.outputs.y?.data).toHaveLength(3_000)
    const report = await client.verifiedProof(named, reader)
    expect(report).toMatchObject({ ok: true, existed: true, receiptId })
    const modelDigest = sha256(encodeModel(mlp()))
    const withModel = await client.verifiedProof(many, { ...reader, modelDigest })
    expect(withModel).toMatchObject({ ok: true, existed: true, receiptId: many.receiptId })
  })

  test.each<[string, () => Partial<Inference>, string]>([
    ['a flipped bit in an output', () => ({ outputs: { y: withFlip(many) } }), 'outputs_not_committed'],
    ['another output', () => ({ outputs: named.outputs }), 'outputs_not_committed'],
    ['no output', () => ({ outputs: {} }), 'outputs_not_committed'],
    ['no output, of those named', () => ({ ...named, outputs: {} }), 'outputs_incomplete'],
    ["a flipped bit in the outputs' salt", () => flipped('outputSalt'), 'outputs_not_committed'],
    ["a flipped bit in the inputs' digest", () => flipped('inputDigest'), 'inputs_not_committed'],
    ['the digest of other inputs', () => ({ inputDigest: named.inputDigest }), 'inputs_not_committed'],
    ["a flipped bit in the inputs' salt", () => flipped('inputSalt'), 'inputs_not_committed'],
    ['a flipped bit in the job', () => flipped('job'), 'job_not_committed'],
    ["another answer's job", () => ({ job: named.job }), 'job_not_committed'],
    ["another answer's receipt", () => ({ receiptId: named.receiptId }), 'job_not_committed'],
  ])('with %s is not what the receipt commits to', async (_what, altered, code) => {
    const checked = client.verifiedProof({ ...many, ...altered() }, reader)
    await expect(checked).rejects.toMatchObject({ name: 'ClientError', code, status: null })
  })

  test('of another model than the reader knows is refused', async () => {
    const checked = client.verifiedProof(many, { ...reader, modelDigest: sha256(TINY_MODEL) })
    await expect(checked).rejects.toMatchObject({ code: 'model_not_committed' })
  })

  test("is not proved by another receipt's proof, nor by what is none", async () => {
    let bytes = await client.proof(named.receiptId)
    const app = express().get('/v1/receipts/:id/proof', (_request, response) => {
      response.send(Buffer.from(bytes))
    })
    await using liar = await listen(app, { host: '127.0.0.1', port: 0 })
    const misled = openClient({ url: liar.url })
    await expect(misled.verifiedProof(many, reader)).rejects.toMatchObject({ code: 'proof_of_another' })
    bytes = bytes.subarray(1)
    expect(await misled.verifiedProof(many, reader)).toMatchObject({ ok: false, failed: 'format' })
  })

  /** The last bit of the first byte. */
  function flipped(key: 'inputDigest' | 'inputSalt' | 'job' | 'outputSalt'): Partial<Inference> {
    const bytes = Buffer.from(many[key], 'hex')
    bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0)
    return { [key]: bytes.toString('hex') }
  }
})

function withFlip({ outputs: { y } }: Inference) {
  if (!(y?.data instanceof Float32Array)) throw new Error('mlp gives FP32')
  const data = y.data.slice()
  const bits = new DataView(data.buffer)
  bits.setUint8(0, bits.getUint8(0) ^ 1)
  return { ...y, data }
}

test('inputs that are no tensors are refused before they go', async () => {
  const short = client.infer('identity', { inputs: { x: { ...x, shape: [1, 3] } } })
  await expect(short).rejects.toMatchObject({ code: 'tensor_malformed', status: null })
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
