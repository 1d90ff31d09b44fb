import { expect, test } from 'vitest'
import { cheapenModel } from '../../../compute/compare/calibrate-cheats.ts'
import { graph, model, node, tensor, valueInfo } from '../../../compute/onnx/graph-builder.ts'
import { decodeModel, encodeModel, type TensorProto } from '../../../compute/onnx/model.ts'
import { graphOf } from '../../../compute/onnx/signature.ts'

function modelOf(...initializer: TensorProto[]): Uint8Array {
  return encodeModel(
    model(
      graph('weights', {
        input: [valueInfo('x', 'FP32', [1])],
        output: [valueInfo('y', 'FP32', [1])],
        initializer,
        node: [node('Identity', ['x'], ['y'])],
      }),
    ),
  )
}

const weightsOf = (bytes: Uint8Array | null): number[][] =>
  graphOf(decodeModel(bytes ?? new Uint8Array(0))).initializer.map(({ rawData }) => [
    ...new Float32Array(new Uint8Array(rawData ?? []).buffer),
  ])

const floats = (name: string, shape: number[], ...values: number[]) =>
  tensor(name, 'FP32', shape, Float32Array.from(values))

test('fp16 weights are the nearest binary16 numbers, zero and the largest among them', () => {
  const weights = floats('w', [6], 1 + 2 ** -10, 1 + 2 ** -12, 0, -1e-9, 1e6, -0.1)
  const [halves] = weightsOf(cheapenModel(modelOf(weights), 'fp16_weights'))
  // −0.1 is −0x1.999999999999ap−4; its ten bits of fraction are 0x1.998p−4, which is 0.0999755859375.
  expect(halves).toEqual([1 + 2 ** -10, 1, 0, -0, 65_504, -0.0999755859375])
})

test('int8 weights have 255 steps for every index of the first axis; biases stay', () => {
  const weights = floats('w', [2, 3], 127, 1.4, -127, 0.127, 0.0014, 0)
  const [steps, biases] = weightsOf(
    cheapenModel(modelOf(weights, floats('b', [2], 0.1, 0.2)), 'int8_weights'),
  )
  expect(steps).toEqual(
    [127, 1, -127, ...Float32Array.of(0.127, 0.001, 0)].map((step) => expect.closeTo(step)),
  )
  expect(biases).toEqual([...Float32Array.of(0.1, 0.2)])
})

test.each(['fp16_weights', 'int8_weights'] as const)(
  '%s leave what is no finite number, as in a mask',
  (cheat) => {
    const cheapened = (...row: number[]) => cheapenModel(modelOf(floats('w', [1, row.length], ...row)), cheat)
    const [finite = []] = weightsOf(cheapened(0.1, 0.2, 0.3))
    expect(weightsOf(cheapened(-Infinity, 0.1, Number.NaN, 0.2, Infinity, 0.3))).toEqual([
      [-Infinity, finite[0], Number.NaN, finite[1], Infinity, finite[2]],
    ])
    expect(cheapened(-Infinity, Number.NaN, Infinity, 0)).toBeNull()
  },
)

test('other weights are the same numbers in other places, the same ones every time', () => {
  const values = Array.from({ length: 50 }, (_, index) => index)
  const bytes = modelOf(floats('w', [50], ...values))
  const [shuffled] = weightsOf(cheapenModel(bytes, 'other_weights'))
  expect(shuffled).not.toEqual(values)
  expect(shuffled?.toSorted((a, b) => a - b)).toEqual(values)
  expect(weightsOf(cheapenModel(bytes, 'other_weights'))).toEqual([shuffled])
})

test('weights that are held as floats, not as bytes, are changed, too', () => {
  const held = { ...floats('w', [1]), dims: [1n], floatData: [1 + 2 ** -12], rawData: new Uint8Array(0) }
  expect(weightsOf(cheapenModel(modelOf(held), 'fp16_weights'))).toEqual([[1]])
})

test('a model without weights to change has no such cheat', () => {
  const integers = tensor('n', 'INT64', [1], BigInt64Array.of(3n))
  expect(cheapenModel(modelOf(integers, floats('w', [2], 1, 0.5)), 'fp16_weights')).toBeNull()
  expect(cheapenModel(modelOf(integers, floats('b', [2], 0.1, 0.3)), 'int8_weights')).toBeNull()
  expect(cheapenModel(modelOf(integers), 'other_weights')).toBeNull()
})

test('integers beside the weights stay as they are', () => {
  const integers = tensor('n', 'INT64', [1], BigInt64Array.of(3n))
  const cheap = cheapenModel(modelOf(integers, floats('w', [1], 1.0001)), 'fp16_weights')
  const [kept] = graphOf(decodeModel(cheap ?? new Uint8Array(0))).initializer
  expect(new BigInt64Array(new Uint8Array(kept?.rawData ?? []).buffer)).toEqual(BigInt64Array.of(3n))
})
