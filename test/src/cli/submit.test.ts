import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { openWorkingSite } from '../api/working-site.ts'
import { runCli } from './run-cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-submit-'))

let node: RegtestNode
let working: Awaited<ReturnType<typeof openWorkingSite>>
beforeAll(async () => {
  node = await startBitcoind()
  working = await openWorkingSite(node)
})
afterAll(async () => {
  await working[Symbol.asyncDispose]()
  await node.stop()
  rmSync(folder, { recursive: true })
})

const x = { name: 'x', shape: [1, 2], datatype: 'FP32', data: [1.5, -2] }

test('the answer is shown with its receipt, and under --json as the coordinator gave it', async () => {
  const shown = await submit('identity', { inputs: [x] })
  expect(shown.stdout).toMatch(
    /^'y' FP32 \[1, 2\]: 1\.5, -2\nReceipt ([0-9a-f]{64})\. Next.* assay proof get \1 --url http:/,
  )
  const many = await submit('mlp', { inputs: [{ ...x, shape: [2, 64], data: Array(128).fill(0.25) }] })
  expect(many.stdout).toMatch(/^'y' FP32 \[2, 10\]: ([-\d.e]+, ){10}…\nReceipt/)
  const whole = await submit('identity', { id: 'mine', inputs: [x] }, '--json')
  expect(JSON.parse(whole.stdout)).toMatchObject({
    id: 'mine',
    model_name: 'identity',
    outputs: [{ ...x, name: 'y' }],
    parameters: { assay_receipt_id: expect.stringMatching(/^[0-9a-f]{64}$/) },
  })
})

test.each([
  ['a model that is not served', 'nope', { inputs: [x] }, 'model_unknown'],
  ['a shape that does not fit', 'identity', { inputs: [{ ...x, shape: [2, 1] }] }, 'shape_mismatch'],
  ['binary outputs', 'identity', { inputs: [x], parameters: { binary_data_output: true } }, 'binary_data'],
  [
    'one binary output',
    'identity',
    { inputs: [x], outputs: [{ name: 'y', parameters: { binary_data: true } }] },
    'binary_data',
  ],
  ['a binary input', 'identity', { inputs: [{ ...x, parameters: { binary_data_size: 8 } }] }, 'binary_data'],
  ['what is no request', 'identity', { tensors: [] }, 'request_malformed'],
])('%s is refused by its code', async (_what, model, request, code) => {
  const refused = await submit(model, request, '--json')
  expect(refused).toMatchObject({ exitCode: 2, stdout: '' })
  expect(JSON.parse(refused.stderr)).toMatchObject({ code, error: expect.stringMatching(/\w/) })
})

test('what a worker wrote does not steer the terminal', async () => {
  const answer = {
    parameters: { assay_receipt_id: '00'.repeat(32) },
    outputs: [{ name: 'y', datatype: 'BYTES', shape: [2], data: ['\u001b[2J', '\u009b2J'] }],
  }
  const server = createServer((_request, response) => void response.end(JSON.stringify(answer)))
  onTestFinished(() => void server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${Object(server.address()).port}`
  const file = join(folder, 'any.json')
  writeFileSync(file, JSON.stringify({ inputs: [x] }))
  const { stdout } = await runCli('submit', 'identity', file, '--url', url)
  expect(stdout).toContain(String.raw`'\x1B[2J', '\x9B2J'`)
})

test('a file that is not there is said to be missing', async () => {
  const { exitCode, stderr } = await runCli(
    'submit',
    'identity',
    join(folder, 'none.json'),
    '--url',
    working.site.url,
  )
  expect(exitCode).toBe(3)
  expect(stderr).toContain('none.json')
})

function submit(model: string, request: object, ...more: string[]) {
  const file = join(folder, 'request.json')
  writeFileSync(file, JSON.stringify(request))
  return runCli('submit', model, file, '--url', working.site.url, ...more)
}
