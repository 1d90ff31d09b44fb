import { describe, expect, test } from 'vitest'
import { encodeTensorBundle } from '../../../compute/work/tensor-bundle.ts'
import { answer } from './infer-request.ts'
import { OPERATOR, serveInfer } from './serve-infer.ts'
import { openServingHouse } from './serving-house.ts'

const post = (url: string, body = '', headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', body, headers })
const codeOf = async (response: Response) => ({
  status: response.status,
  code: Object(await response.json()).code,
})
const infer = (url: string) =>
  post(
    `${url}/models/mlp/infer`,
    JSON.stringify({ inputs: [{ name: 'x', shape: [2, 64], datatype: 'FP32', data: Array(128).fill(0.5) }] }),
  )

describe('the model repository', () => {
  test('lists what is served; the operator unloads a model and loads it again', async () => {
    const { url } = await serveInfer(openServingHouse().house)
    const ready = [{ name: 'mlp', version: '3', state: 'READY', reason: '' }]
    const index = async (body?: string) => (await post(`${url}/repository/index`, body)).json()
    expect(await index()).toEqual(ready)
    expect(await index('{"ready":true}')).toEqual(ready)

    expect((await post(`${url}/repository/models/mlp/unload`, '', OPERATOR)).status).toBe(200)
    expect(await index()).toEqual([
      { name: 'mlp', version: '3', state: 'UNAVAILABLE', reason: 'unloaded by the operator' },
    ])
    expect(await index('{"ready":true}')).toEqual([])
    for (const path of ['', '/ready', '/stats', '/versions/3'])
      expect(await codeOf(await fetch(`${url}/models/mlp${path}`))).toEqual({
        status: 503,
        code: 'model_unloaded',
      })
    expect(await codeOf(await infer(url))).toEqual({ status: 503, code: 'model_unloaded' })

    expect((await post(`${url}/repository/models/mlp/load`, '', OPERATOR)).status).toBe(200)
    expect(await index()).toEqual(ready)
    expect((await fetch(`${url}/models/mlp/ready`)).status).toBe(200)
  })

  test('a model that is unloaded while requests wait still answers them', async () => {
    const { house, requests, work } = openServingHouse()
    const { url } = await serveInfer(house)
    const asking = infer(url)
    const asked = await work(answer)
    await asking
    const waiting = requests.ask({ ...asked, deadlineMs: Date.now() + 60_000 })
    await post(`${url}/repository/models/mlp/unload`, '', OPERATOR)
    await work(answer)
    expect((await waiting).receiptId).toEqual(answer.receiptId)
  })

  test.each([
    ['models/mlp/load', '', {}, 401, 'api_key_unknown'],
    ['models/mlp/unload', '', { authorization: 'Bearer somebody' }, 401, 'api_key_unknown'],
    ['models/nope/load', '', OPERATOR, 404, 'model_unknown'],
    ['models/nope/unload', '', OPERATOR, 404, 'model_unknown'],
    ['models/mlp/load', '{"parameters":{"config":"{}"}}', OPERATOR, 400, 'parameter_unsupported'],
    ['models/mlp/load', 'not JSON', OPERATOR, 400, 'request_malformed'],
    ['index', '[', {}, 400, 'request_malformed'],
    ['index', '{"ready":1}', {}, 400, 'request_malformed'],
    ['index', JSON.stringify({ padding: 'x'.repeat(20_000) }), {}, 413, 'body_too_large'],
  ])('refuses what it should not take at POST %s', async (path, body, headers, status, code) => {
    const { url, bugs } = await serveInfer(openServingHouse().house)
    expect(await codeOf(await post(`${url}/repository/${path}`, body, headers))).toEqual({ status, code })
    expect((await fetch(`${url}/models/mlp/ready`)).status).toBe(200)
    expect(bugs).toEqual([])
  })
})

describe('the statistics', () => {
  test('count requests, rows and time, and why requests failed', async () => {
    const { house, requests, work } = openServingHouse()
    const { url, statistics } = await serveInfer(house)
    for (let round = 0; round < 2; round += 1) await Promise.all([infer(url), work(answer)])
    const broken = { ...answer, outputs: encodeTensorBundle([]) }
    await Promise.all([infer(url), work(broken)])
    await post(`${url}/models/mlp/infer`, '{}')

    const { model_stats } = Object(await (await fetch(`${url}/models/mlp/stats`)).json())
    const took = (count: number) => ({ count, ns: expect.any(Number) })
    expect(model_stats).toEqual([
      {
        name: 'mlp',
        version: '3',
        last_inference: expect.any(Number),
        inference_count: 4,
        execution_count: 2,
        inference_stats: {
          success: took(2),
          fail: took(2),
          queue: took(2),
          compute_input: took(2),
          compute_infer: took(2),
          compute_output: took(2),
          cache_hit: { count: 0, ns: 0 },
          cache_miss: { count: 0, ns: 0 },
        },
        batch_stats: [],
      },
    ])
    const { success, queue, compute_input, compute_infer, compute_output } = model_stats[0].inference_stats
    const parts = [queue, compute_input, compute_infer, compute_output]
    // Each is rounded by itself.
    expect(Math.abs(success.ns - parts.reduce((sum, { ns }) => sum + ns, 0))).toBeLessThan(20)
    expect(success.ns).toBeGreaterThan(0)
    const { fail, pending } = statistics.of('mlp', '3')
    expect([fail.BACKEND.count, fail.OTHER.count, fail.REJECTED.count, fail.CANCELED.count]).toEqual([
      1, 1, 0, 0,
    ])
    expect([pending, requests.length]).toEqual([0, 0])
    expect(await (await fetch(`${url}/models/stats`)).json()).toEqual({ model_stats })
    expect(await (await fetch(`${url}/models/mlp/versions/3/stats`)).json()).toEqual({ model_stats })
  })

  test.each([
    ['nope', 'model_unknown'],
    ['mlp/versions/2', 'version_unknown'],
  ])('of %s are not there: %s', async (path, code) => {
    const { url } = await serveInfer(openServingHouse().house)
    expect(await codeOf(await fetch(`${url}/models/${path}/stats`))).toEqual({ status: 404, code })
  })
})
