import { InferenceSession, type Tensor } from './onnxruntime.ts'
import { zeroTensor } from './ort-tensor.ts'
import type { InputShape } from './runner-message.ts'
import { sessionOptions } from './session-options.ts'

/** Runs a model once on zeros and tells the shape of every output. */
export async function outputShapes(
  model: Uint8Array,
  inputs: readonly InputShape[],
): Promise<Record<string, number[]>> {
  const feeds = inputs.map(({ name, datatype, shape }): [string, Tensor] => [
    name,
    zeroTensor(datatype, shape),
  ])
  const options = sessionOptions('cpu', { optimization: 'disabled', threads: 1 })
  const session = await InferenceSession.create(model, options)
  const outputs = await session.run(Object.fromEntries(feeds))
  return Object.fromEntries(Object.entries(outputs).map(([name, { dims }]) => [name, [...dims]]))
}
