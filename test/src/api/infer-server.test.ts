import { describe, expect, test, vi } from 'vitest'
import { outcome, post, refusal } from './infer-request.ts'
import { serveInfer } from './serve-infer.ts'
import { JUDGED, openServingHouse, START_HEIGHT } from './serving-house.ts'

describe('the server', () => {
  test('says what it is and that it takes binary tensors', async () => {
    const { url } = await serveInfer(openServingHouse().house)
    expect(await outcome(await fetch(url))).toEqual({
      status: 200,
      json: {
        name: 'assay',
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        extensions: [
          'binary_tensor_data',
          'model_configuration',
          'model_repository',
          'schedule_policy',
          'statistics',
        ],
      },
    })
  })

  test('is live and ready', async () => {
    const { url } = await serveInfer(openServingHouse().house)
    expect(await outcome(await fetch(`${url}/health/live`))).toEqual({ status: 200, json: { live: true } })
    expect(await outcome(await fetch(`${url}/health/ready`))).toEqual({ status: 200, json: { ready: true } })
  })

  test.each(['', '/versions/3'])('describes a model at …%s', async (version) => {
    const { url } = await serveInfer(openServingHouse().house)
    expect(await outcome(await fetch(`${url}/models/mlp${version}`))).toEqual({
      status: 200,
      json: {
        name: 'mlp',
        versions: ['3'],
        platform: 'onnxruntime_onnx',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 64] }],
        outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 10] }],
      },
    })
    expect(await outcome(await fetch(`${url}/models/mlp${version}/config`))).toEqual({
      status: 200,
      json: {
        name: 'mlp',
        platform: 'onnxruntime_onnx',
        backend: 'onnxruntime',
        max_batch_size: 0,
        input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [-1, 64] }],
        output: [{ name: 'y', data_type: 'TYPE_FP32', dims: [-1, 10] }],
        default_model_filename: 'model.onnx',
      },
    })
    expect(await outcome(await fetch(`${url}/models/mlp${version}/ready`))).toEqual({
      status: 200,
      json: { name: 'mlp', ready: true },
    })
  })

  test('before the log is open is live alone', async () => {
    const { url } = await serveInfer({ ...openServingHouse().house, house: () => null })
    expect((await fetch(`${url}/health/live`)).status).toBe(200)
    for (const path of ['/health/ready', '/models/mlp', '/models/mlp/ready']) {
      expect(await outcome(await fetch(url + path))).toEqual(refusal(503, 'not_open'))
    }
    expect(await outcome(await post(`${url}/models/mlp/infer`, '{}'))).toEqual(refusal(503, 'not_open'))
  })

  test.each([null, START_HEIGHT - 2])(
    'before epoch 0, at height %s, describes its models and runs none',
    async (advancedTo) => {
      const { url } = await serveInfer(openServingHouse({ advancedTo }).house)
      expect((await fetch(`${url}/models/mlp`)).status).toBe(200)
      for (const path of ['/health/ready', '/models/mlp/ready']) {
        expect(await outcome(await fetch(url + path))).toEqual(refusal(503, 'epoch_not_started'))
      }
      expect(await outcome(await post(`${url}/models/mlp/infer`, '{}'))).toEqual(
        refusal(503, 'epoch_not_started'),
      )
    },
  )

  test.each([
    [{ ...JUDGED, inDoubt: true }, 'the chain has not been judged yet'],
    [
      {
        ...JUDGED,
        inDoubt: true,
        stalled: { code: 'deep_reorg' as const, detail: 'gone', advice: '', neededSats: null },
      },
      'deep_reorg: gone',
    ],
  ])('in doubt about the chain takes no request and is not ready', async (anchoring, reason) => {
    const { house, requests } = openServingHouse({ anchoring })
    const { url } = await serveInfer(house)
    expect((await fetch(`${url}/models/mlp`)).status).toBe(200)
    const halted = { status: 503, json: { code: 'log_halted', error: expect.stringContaining(reason) } }
    expect(await outcome(await fetch(`${url}/health/ready`))).toEqual(halted)
    expect(await outcome(await post(`${url}/models/mlp/infer`, '{}'))).toEqual(halted)
    expect(requests.length).toBe(0)
  })

  test('is ready when the next block is the first of epoch 0', async () => {
    const { url } = await serveInfer(openServingHouse({ advancedTo: START_HEIGHT - 1 }).house)
    expect((await fetch(`${url}/health/ready`)).status).toBe(200)
  })

  test.each([
    ['/models/nope', 'model_unknown'],
    ['/models/nope/ready', 'model_unknown'],
    ['/models/nope/versions/1', 'model_unknown'],
    ['/models/mlp/versions/2', 'version_unknown'],
    ['/models/mlp/versions/01/ready', 'version_unknown'],
    ['/models/mlp/infer', 'not_found'],
    ['/models', 'not_found'],
    ['/nope', 'not_found'],
  ])('knows nothing at GET %s: %s', async (path, code) => {
    const { url, bugs } = await serveInfer(openServingHouse().house)
    expect(await outcome(await fetch(url + path))).toEqual(refusal(404, code))
    expect(bugs).toEqual([])
  })

  test('says that a model is missing when its blob is', async () => {
    const { house } = openServingHouse()
    const { url } = await serveInfer({ ...house, books: { blobs: { get: () => null } } })
    expect(await outcome(await fetch(`${url}/models/mlp`))).toEqual(refusal(503, 'model_missing'))
  })

  test('reads a model once', async () => {
    const { house } = openServingHouse()
    const get = vi.spyOn(house.books.blobs, 'get')
    const { url } = await serveInfer(house)
    for (const path of ['/models/mlp', '/models/mlp/versions/3', '/models/mlp/ready']) await fetch(url + path)
    expect(get).toHaveBeenCalledTimes(1)
  })

  test('keeps a bug’s text for its operator', async () => {
    const bug = new Error('a secret')
    const { url, bugs } = await serveInfer({
      ...openServingHouse().house,
      house: () => {
        throw bug
      },
    })
    const { status, json } = await outcome(await fetch(`${url}/models/mlp`))
    expect({ status, json }).toEqual(refusal(500, 'internal'))
    expect(JSON.stringify(json)).not.toContain('secret')
    expect(bugs).toEqual([bug])
  })
})
