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
  const { stdout } = await submitTo(await serve(200, answer))
  expect(stdout).toContain(String.raw`'\x1B[2J', '\x9B2J'`)
})

test('what a coordinator refuses with does not steer the terminal', async () => {
  const detail = 'no\u001b[2J\n\u009b31m'
  const url = await serve(400, { code: 'shape_mismatch', detail })
  expect((await submitTo(url)).stderr).toBe('assay: no\\u001b[2J\n\\u009b31m (shape_mismatch)\n')
  const { stderr } = await submitTo(url, '--json')
  expect(stderr.trimEnd()).not.toMatch(/\p{Cc}/u)
  expect(JSON.parse(stderr)).toEqual({ code: 'shape_mismatch', error: detail })
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

test('an error inside the coordinator is one line: nothing of it is to be found here', async () => {
  const detail = 'an internal error; the operator finds it in the log'
  const { exitCode, stderr } = await submitTo(await serve(500, { code: 'internal', detail }))
  expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: `assay: ${detail} (internal)\n` })
})

async function serve(status: number, answer: object): Promise<string> {
  const server = createServer((_request, response) => {
    response.writeHead(status).end(JSON.stringify(answer))
  })
  onTestFinished(() => void server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${Object(server.address()).port}`
}

function submitTo(url: string, ...more: string[]) {
  const file = join(folder, 'any.json')
  writeFileSync(file, JSON.stringify({ inputs: [x] }))
  return runCli('submit', 'identity', file, '--url', url, ...more)
}

function submit(model: string, request: object, ...more: string[]) {
  const file = join(folder, 'request.json')
  writeFileSync(file, JSON.stringify(request))
  return runCli('submit', model, file, '--url', working.site.url, ...more)
}
