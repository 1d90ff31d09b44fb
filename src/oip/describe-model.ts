import type { ModelSignature, TensorSignature } from '../../compute/onnx/signature.ts'

const PLATFORM = 'onnxruntime_onnx'

interface Described {
  readonly name: string
  readonly version: string
  readonly signature: ModelSignature
}

/** The Open Inference Protocol's metadata of a model; −1 is a free dimension. */
export function modelMetadata({ name, version, signature }: Described) {
  const tensor = ({ name, datatype, shape }: TensorSignature) => ({ name, datatype, shape: dims(shape) })
  return {
    name,
    versions: [version],
    platform: PLATFORM,
    inputs: signature.inputs.map(tensor),
    outputs: signature.outputs.map(tensor),
  }
}

/**
 * Triton's configuration of a model (its model_config.proto), as far as it says something here: load generators ask for it.
 * Shapes are whole and `max_batch_size` is 0, since a request has as many rows as its inputs say, within the limits of its size.
 */
export function modelConfig({ name, signature }: Omit<Described, 'version'>) {
  const tensor = ({ name, datatype, shape }: TensorSignature) => ({
    name,
    data_type: datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`,
    dims: dims(shape),
  })
  return {
    name,
    platform: PLATFORM,
    backend: 'onnxruntime',
    max_batch_size: 0,
    input: signature.inputs.map(tensor),
    output: signature.outputs.map(tensor),
    default_model_filename: 'model.onnx',
  }
}

function dims(shape: TensorSignature['shape']): number[] {
  return shape.map((size) => size ?? -1)
}
