/** The one door to onnxruntime-node: whoever loads it loads it with its telemetry off. */
import './telemetry-off.ts'

export { env, InferenceSession, Tensor } from 'onnxruntime-node'
