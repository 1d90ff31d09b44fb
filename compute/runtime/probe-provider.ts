import { InferenceSession, Tensor } from './onnxruntime.ts'
import { probeCase, probeFault } from './probe-case.ts'
import { RunError } from './run-error.ts'
import type { Provider } from './runner-message.ts'
import { probeOptions } from './session-options.ts'

/** The provider runs the conformance case by itself and gets it right. Throws RunError `provider_unavailable`. */
export async function probeProvider(provider: Provider): Promise<void> {
  const { model, feeds, expected } = probeCase()
  const tensors = Object.entries(feeds).map(([name, { shape, data }]) => [
    name,
    new Tensor('float32', data, shape),
  ])
  let outputs: InferenceSession.ReturnType
  try {
    const session = await InferenceSession.create(model, probeOptions(provider))
    outputs = await session.run(Object.fromEntries(tensors))
    await session.release()
  } catch (cause) {
    throw new RunError('provider_unavailable', cause instanceof Error ? cause.message : String(cause), {
      cause,
    })
  }
  for (const [name, values] of Object.entries(expected)) {
    const data = outputs[name]?.data
    const fault = data instanceof Float32Array ? probeFault(data, values) : 'no FP32 tensor'
    if (fault !== null) throw new RunError('provider_unavailable', `it computes wrongly: ${name}: ${fault}`)
  }
}
