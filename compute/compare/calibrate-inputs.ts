import { admitModel } from '../onnx/admission.ts'
import { seededRandom } from '../work/seeded-random.ts'
import { encodeTensorBundle } from '../work/tensor-bundle.ts'
import { CalibrationError } from './calibrate-runs.ts'

/** Of the dimensions that a model leaves free. */
const FREE_SIZE = 1

/**
 * Input bundles of noise between −1 and 1, the same for everybody who asks for as many: for models of which no data is at hand. Numbers that
 * the model was not made for may hide what its own data would show. Throws AdmissionError, ModelError, CalibrationError.
 */
export function noiseInputs(model: Uint8Array, count: number): Uint8Array[] {
  const { inputs } = admitModel(model).signature
  const other = inputs.find(({ datatype }) => datatype !== 'FP32')
  if (other !== undefined) {
    throw new CalibrationError(
      'inputs_unfit',
      `input ${other.name} is ${other.datatype}: noise is made for FP32 alone`,
    )
  }
  const random = seededRandom('calibration inputs')
  return Array.from({ length: count }, () =>
    encodeTensorBundle(
      inputs.map(({ name, datatype, shape }) => {
        const sizes = shape.map((size) => size ?? FREE_SIZE)
        const length = sizes.reduce((product, size) => product * size, 1)
        const values = Float32Array.from({ length }, () => 2 * random() - 1)
        return { name, datatype, shape: sizes, data: new Uint8Array(values.buffer) }
      }),
    ),
  )
}
