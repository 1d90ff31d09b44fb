import { node } from '../../../compute/onnx/graph-builder.ts'
import { encodeModel } from '../../../compute/onnx/model.ts'
import type { ExecutionProfile } from '../../../compute/work/receipt.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { encodeTensorBundle, parseTensorBundle } from '../../../compute/work/tensor-bundle.ts'
import type { SubnetDraft } from '../../../src/client/publish-subnet.ts'
import type { SubnetDefinition } from '../../../src/subnet/definition.ts'
import { unary } from '../../compute/onnx/sample-models.ts'

/** y = x: work that a peer does without ONNX Runtime. */
export const TINY_MODEL = encodeModel(unary([node('Identity', ['x'], ['y'])], 'FP32', ['N', 2]))

/** The same in two steps, so another model. */
export const TWIN_MODEL = encodeModel(
  unary([node('Identity', ['x'], ['z']), node('Identity', ['z'], ['y'])], 'FP32', ['N', 2]),
)

export const TINY_PROFILE: Omit<ExecutionProfile, 'batch'> = {
  device: 'x86-64-v3',
  optimization: 'disabled',
  ort: '1.30.0',
  precision: 'fp32',
  provider: 'cpu',
  threads: 1,
}

/** The most that a model may have: a dozen fails hold nobody back who doesn't mean to be. */
const TINY_FALSE_FAIL_RATE = { numerator: 1, denominator: 20 }

/** What the peer's model takes: each number makes another item. */
export function tinyInput(value: number): Uint8Array {
  return bundleOf('x', new Float32Array([value, -value]))
}

/** An input of many rows, of somewhat more than this many bytes; each number makes another item. */
export function largeInput(value: number, bytes: number): Uint8Array {
  return bundleOf('x', new Float32Array(bytes / 4).fill(value))
}

/** What an honest worker answers. */
export function tinyOutput(inputs: Uint8Array): Uint8Array {
  return encodeTensorBundle(parseTensorBundle(inputs).map((tensor) => ({ ...tensor, name: 'y' })))
}

/** What a worker answers that has not computed at all. */
export function cheatedOutput(): Uint8Array {
  return bundleOf('y', new Float32Array([666, 666]))
}

function bundleOf(name: string, values: Float32Array): Uint8Array {
  const data = new Uint8Array(values.buffer)
  return encodeTensorBundle([{ name, datatype: 'FP32', shape: [values.length / 2, 2], data }])
}

/** The same as the log has it, without a dataset. */
export function tinyDefinition(): SubnetDefinition {
  const { models, ...draft } = tinyMarket()
  return {
    ...draft,
    v: 1,
    models: models.map(({ file, ...model }) => ({ ...model, bytes: file.length, digest: sha256(file) })),
    dataset: null,
  }
}

/** Audited always, so that no verdict is a matter of luck; items enough for every one of a few workers to get some. */
export function tinyMarket(changes: Partial<SubnetDraft> = {}): SubnetDraft {
  return {
    name: 'tiny',
    auditFloor: { numerator: 1, denominator: 1 },
    effectiveEpoch: 0,
    objective: { name: 'throughput' },
    operatorBasisPoints: 0,
    price: 0n,
    privacy: 'public',
    weight: 1,
    models: [
      {
        name: 'identity',
        file: TINY_MODEL,
        falseFailRate: TINY_FALSE_FAIL_RATE,
        license: { redistributable: true, source: 'made by the test', spdx: 'MIT' },
        profile: { comparison: 'exact', ...TINY_PROFILE },
        unitsPerItem: 7,
        version: 1,
      },
    ],
    dataset: { items: Array.from({ length: 24 }, (_, item) => tinyInput(item + 1)), perEpoch: 24 },
    ...changes,
  }
}

/** Its model, said to fail honest work at another rate. */
export function tinyModels(numerator: number, denominator: number): SubnetDraft['models'] {
  return tinyMarket().models.map((model) => ({ ...model, falseFailRate: { numerator, denominator } }))
}

/** Three fails hold a worker, five by two auditors suspend it; each of four workers gets more than that. */
export const STRICT_MARKET = tinyMarket({
  models: tinyModels(3, 1_000),
  dataset: { items: Array.from({ length: 216 }, (_, item) => tinyInput(item + 1)), perEpoch: 72 },
})
