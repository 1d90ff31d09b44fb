import type { InferenceSession } from './onnxruntime.ts'
import { OWN_CHOICE } from './own-choice.ts'
import type { Provider, RequiredProfile } from './runner-message.ts'

/** What makes a run repeat bit by bit on one class of CPU, and near enough elsewhere. */
export function sessionOptions(
  provider: Provider,
  { optimization, threads }: Pick<RequiredProfile, 'optimization' | 'threads'>,
): InferenceSession.SessionOptions {
  return {
    executionProviders: [provider],
    graphOptimizationLevel: optimization,
    executionMode: 'sequential',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // The arena never gives its peak back.
    enableCpuMemArena: false,
    extra: {
      session: {
        // What admission has read: bytes 4 to 7 of an ONNX file may be "ORTM", for which ONNX Runtime would read another model in it.
        load_model_format: 'ONNX',
        use_deterministic_compute: '1',
        intra_op: { allow_spinning: '0' },
      },
    },
  }
}

/** For probing: a node that the provider can't run is an error, where ONNX Runtime would quietly use the CPU. */
export function probeOptions(provider: Provider): InferenceSession.SessionOptions {
  const options = sessionOptions(provider, OWN_CHOICE)
  return provider === 'cpu' ? options : { ...options, extra: { session: { disable_cpu_ep_fallback: '1' } } }
}
