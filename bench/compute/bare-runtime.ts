import { InferenceSession, Tensor } from '../../compute/runtime/onnxruntime.ts'
import { sessionOptions } from '../../compute/runtime/session-options.ts'
import { type BenchModel, inputRows } from './bench-models.ts'

interface BareRuntime extends AsyncDisposable {
  /** The output's bytes. */
  run(): Promise<Uint8Array>
}

/** onnxruntime-node by itself under the profile of `exact` work: what every figure of running models stands beside. */
export async function openBareRuntime(model: BenchModel, rows: number): Promise<BareRuntime> {
  const session = await InferenceSession.create(
    model.file,
    sessionOptions('cpu', { optimization: 'disabled', threads: 1 }),
  )
  const data = inputRows(model, rows)
  return {
    async run() {
      const outputs = await session.run({
        [model.input]: new Tensor('float32', data, [rows, ...model.shape]),
      })
      const [output] = Object.values(outputs)
      if (!(output?.data instanceof Float32Array)) throw new Error(`${model.name} has no FP32 output`)
      return new Uint8Array(output.data.buffer, output.data.byteOffset, output.data.byteLength)
    },
    [Symbol.asyncDispose]: () => session.release(),
  }
}
