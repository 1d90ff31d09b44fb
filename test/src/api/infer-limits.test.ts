import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { answer, outcome, post, refusal, x } from './infer-request.ts'
import { serveInfer } from './serve-infer.ts'
import { openServingHouse } from './serving-house.ts'

const MIB = 1024 * 1024

describe('an inference', () => {
  test.each([
    [2_500_000, 2_500],
    [1, 1],
    [0, 30_000],
    [Number.MAX_SAFE_INTEGER, 300_000],
  ])('with a timeout of %i µs has %i ms', async (timeout, ms) => {
    const { house, work } = openServingHouse()
    const { url } = await serveInfer(house)
    const before = Date.now()
    const response = post(`${url}/models/mlp/infer`, JSON.stringify({ inputs: [x], parameters: { timeout } }))
    const { deadlineMs } = await work(answer)
    expect(deadlineMs).toBeGreaterThanOrEqual(before + ms)
    expect(deadlineMs).toBeLessThanOrEqual(Date.now() + ms)
    await response
  })

  test('that nobody answers in time is refused', async () => {
    const { url } = await serveInfer(openServingHouse().house)
    const body = JSON.stringify({ inputs: [x], parameters: { timeout: 1_000 } })
    expect(await outcome(await post(`${url}/models/mlp/infer`, body))).toEqual(
      refusal(504, 'deadline_exceeded'),
    )
  })

  test.each([
    [261_887, 200],
    [261_888, 400],
  ])('of %i rows of 256 bytes, at the limit of 64 KiB below a body: %i', async (rows, status) => {
    const { house, requests, work } = openServingHouse()
    const { url } = await serveInfer(house)
    const data = new Uint8Array(rows * 64 * 4)
    const head = { ...x, shape: [rows, 64], data: undefined, parameters: { binary_data_size: data.length } }
    const json = Buffer.from(JSON.stringify({ inputs: [head] }))
    const asking = post(`${url}/models/mlp/infer`, Buffer.concat([json, data]), {
      'inference-header-content-length': String(json.length),
    })
    if (status === 200) expect((await work(answer)).items).toBe(rows)
    else expect(await outcome(await asking)).toEqual(refusal(400, 'tensor_too_large'))
    expect((await asking).status).toBe(status)
    expect(requests.length).toBe(0)
  })

  test('beyond what the queue holds is refused', async () => {
    const { house, requests, work } = openServingHouse()
    const { url } = await serveInfer(house)
    const first = post(`${url}/models/mlp/infer`, JSON.stringify({ inputs: [x] }))
    const asked = await work(answer)
    await first
    const full = Array.from({ length: 4_096 }, () =>
      requests.ask({ ...asked, deadlineMs: Date.now() + 60_000 }).catch((error) => error),
    )
    const body = JSON.stringify({ inputs: [x] })
    expect(await outcome(await post(`${url}/models/mlp/infer`, body))).toEqual(refusal(429, 'queue_full'))
    requests.close()
    await Promise.all(full)
  })

  test('beyond the bytes that may wait is refused, until they are answered', async () => {
    const { house, requests, work } = openServingHouse()
    const { url } = await serveInfer(house)
    const rows = 245_760
    const data = new Uint8Array(rows * 64 * 4)
    const head = { ...x, shape: [rows, 64], data: undefined, parameters: { binary_data_size: data.length } }
    const json = Buffer.from(JSON.stringify({ inputs: [head] }))
    const body = Buffer.concat([json, data])
    const ask = () =>
      post(`${url}/models/mlp/infer`, body, { 'inference-header-content-length': String(json.length) })
    const waiting = Array.from({ length: 4 }, ask)
    await expect.poll(() => requests.length).toBe(4)
    expect(await outcome(await ask())).toEqual(refusal(429, 'queue_full'))
    for (const _ of waiting) await work(answer)
    const statuses = (await Promise.all(waiting)).map(({ status }) => status)
    expect(statuses).toEqual([200, 200, 200, 200])
    expect(requests.length).toBe(0)
    const [last] = await Promise.all([ask(), work(answer)])
    expect(last.status).toBe(200)
  })

  test.each([
    ['larger than 64 MiB', new Uint8Array(64 * MIB + 1), {}],
    ['a decompression bomb', gzipSync(new Uint8Array(64 * MIB + 1)), { 'content-encoding': 'gzip' }],
  ])('whose body is %s is refused', async (_, body, headers) => {
    const { url } = await serveInfer(openServingHouse().house)
    const response = await post(`${url}/models/mlp/infer`, body, headers)
    expect(await outcome(response)).toEqual(refusal(413, 'body_too_large'))
  })

  test('whose body is of an unknown encoding is refused', async () => {
    const { url } = await serveInfer(openServingHouse().house)
    const response = await post(`${url}/models/mlp/infer`, 'x', { 'content-encoding': 'rot13' })
    expect(await outcome(response)).toEqual(refusal(415, 'request_malformed'))
  })

  test('whose body is not what its encoding says is refused', async () => {
    const { url, bugs } = await serveInfer(openServingHouse().house)
    const response = await post(`${url}/models/mlp/infer`, 'not gzip', { 'content-encoding': 'gzip' })
    expect((await outcome(response)).status).toBe(400)
    expect(bugs).toEqual([])
  })
})
