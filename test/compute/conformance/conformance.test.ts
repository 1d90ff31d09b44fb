import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openModelFile } from '../../../compute/compare/calibrate-model-file.ts'
import { conformanceCases } from '../../../compute/conformance/conformance-cases.ts'
import { ConformanceError, requireConformance } from '../../../compute/conformance/require-conformance.ts'
import { type ConformanceResult, runConformance } from '../../../compute/conformance/run-conformance.ts'
import { trainDigitsPlainly } from '../../../compute/conformance/trained-digits.ts'
import { admitModel } from '../../../compute/onnx/admission.ts'
import { type ModelRunner, startModelRunner } from '../../../compute/runtime/model-runner.ts'
import { encodeTensorBundle, parseTensorBundle, type Tensor } from '../../../compute/work/tensor-bundle.ts'

let cpu: ModelRunner
beforeAll(async () => {
  cpu = await startModelRunner({ provider: 'cpu' })
})
afterAll(() => cpu[Symbol.asyncDispose]())

async function resultsOf(runner: ModelRunner, cases = conformanceCases()): Promise<ConformanceResult[]> {
  const results: ConformanceResult[] = []
  for await (const one of runConformance(runner, cases)) results.push(one)
  return results
}

/** A device that computes on the CPU, and then gets some of it wrong. The reference is left as it is. */
function worse(change: (tensor: Tensor) => Tensor): ModelRunner {
  return {
    provider: 'webgpu',
    device: 'a worse one',
    async run(request) {
      const result = await cpu.run(request)
      if (request.profile.provider === 'cpu') return result
      return { ...result, outputs: encodeTensorBundle(parseTensorBundle(result.outputs).map(change)) }
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

const rounded = (bits: number) => (value: number) => {
  if (value === 0) return 0
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - bits)
  return Math.round(value / unit) * unit
}
const floats = (change: (value: number, index: number) => number) => (tensor: Tensor) =>
  tensor.datatype === 'FP32'
    ? {
        ...tensor,
        data: new Uint8Array(new Float32Array(Uint8Array.from(tensor.data).buffer).map(change).buffer),
      }
    : tensor

const faulty = (results: readonly ConformanceResult[]) =>
  results.filter(({ fault }) => fault !== null).map(({ name }) => name)

describe('the conformance pack', () => {
  test('is passed by the CPU', async () => {
    const results = await resultsOf(cpu)
    expect(faulty(results)).toEqual([])
    expect(results).toHaveLength(conformanceCases().length)
  })

  test('is made of models that any worker would admit, each with a name of its own', () => {
    const cases = conformanceCases()
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
    for (const { model, inputs } of cases) {
      const { signature } = admitModel(model)
      expect(parseTensorBundle(inputs).map(({ name }) => name)).toEqual(
        signature.inputs.map(({ name }) => name),
      )
    }
  })

  test('has operators in floats of both sizes, integers and booleans', () => {
    const types = conformanceCases().map(({ model }) => admitModel(model).signature.outputs[0]?.datatype)
    expect(new Set(types)).toEqual(new Set(['FP32', 'FP16', 'INT64', 'BOOL']))
  })

  test.each([
    ['TF32', rounded(10)],
    ['bfloat16', rounded(7)],
  ])('is failed in every case of floats by results of %s', async (_, round) => {
    const results = await resultsOf(worse(floats(round)))
    const float = conformanceCases().filter(
      ({ model }) => admitModel(model).signature.outputs[0]?.datatype === 'FP32',
    )
    // What only moves numbers keeps most of them exact, and still differs.
    expect(faulty(results)).toEqual(float.map(({ name }) => name))
  })

  test('ends with a network that names nine of ten unseen digits', async () => {
    const { labels } = trainDigitsPlainly()
    const [network] = conformanceCases().slice(-1)
    if (network === undefined) throw new Error('there are cases')
    await using file = await openModelFile(network.model)
    const { outputs } = await cpu.run({
      modelPath: file.modelPath,
      modelDigest: file.modelDigest,
      profile: { optimization: 'disabled', threads: 1, precision: 'fp32', provider: 'cpu' },
      inputs: network.inputs,
      deadlineMs: Date.now() + 600_000,
    })
    const [out] = parseTensorBundle(outputs)
    const logits = new Float32Array(Uint8Array.from(out?.data ?? []).buffer)
    const right = labels.filter((label, row) => {
      const ofRow = logits.subarray(row * 10, (row + 1) * 10)
      return ofRow.indexOf(Math.max(...ofRow)) === label
    })
    expect(right.length / labels.length).toBeGreaterThanOrEqual(0.9)
  })

  test('names the operator of which one number is wrong', async () => {
    const results = await resultsOf(
      worse((tensor) =>
        tensor.shape.join() === '1,128,6,5'
          ? floats((value, index) => (index === 1_000 ? value + 1 : value))(tensor)
          : tensor,
      ),
    )
    expect(results.filter(({ fault }) => fault !== null)).toEqual([
      {
        name: 'Conv 129→128, 3×3',
        fault: expect.stringMatching(/^"out": element 1000 is .* times the bound$/),
      },
    ])
  })

  test('names an operator that can not be run at all', async () => {
    const [first] = conformanceCases()
    if (first === undefined) throw new Error('there are cases')
    const results = await resultsOf(cpu, [{ ...first, model: first.model.subarray(0, 50) }])
    expect(results).toEqual([{ name: first.name, fault: expect.stringMatching(/^model_refused: /) }])
  })
})

describe('requireConformance', () => {
  const wrong = worse(floats((value) => -value))

  test('says nothing where all is computed rightly', async () => {
    const faults: string[] = []
    await requireConformance(cpu, conformanceCases(), {
      despiteFaults: false,
      onFault: (fault) => faults.push(fault),
    })
    expect(faults).toEqual([])
  })

  test('throws with every operator that is wrong, and tells each of them', async () => {
    const faults: string[] = []
    const required = requireConformance(wrong, conformanceCases(), {
      despiteFaults: false,
      onFault: (fault) => faults.push(fault),
    })
    await expect(required).rejects.toThrow(ConformanceError)
    await expect(required).rejects.toMatchObject({
      code: 'conformance_failed',
      message: expect.stringMatching(
        /^webgpu on a worse one computes wrongly: Conv 129→128, 3×3; Conv in 3 groups/,
      ),
    })
    expect(faults.length).toBeGreaterThan(10)
  })

  test('tells them and goes on where the owner wants it', async () => {
    const faults: string[] = []
    await requireConformance(wrong, conformanceCases(), {
      despiteFaults: true,
      onFault: (fault) => faults.push(fault),
    })
    expect(faults.length).toBeGreaterThan(10)
  })
})
