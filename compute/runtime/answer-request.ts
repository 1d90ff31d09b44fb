import { encodeTensorBundle, parseTensorBundle, type Tensor, TensorError } from '../work/tensor-bundle.ts'
import { checkInputs } from './check-inputs.ts'
import { deviceName } from './device-name.ts'
import { env } from './onnxruntime.ts'
import { fromOrtTensor, toOrtTensor } from './ort-tensor.ts'
import { outputShapes } from './output-shapes.ts'
import { probeProvider } from './probe-provider.ts'
import { RunError } from './run-error.ts'
import type { Provider, RunnerReply, RunnerRequest } from './runner-message.ts'
import { createSessionCache, type LoadedModel } from './session-cache.ts'

interface Answer {
  header: RunnerReply
  bodies: readonly Uint8Array[]
}

/** ONNX Runtime's messages may quote much of a model. */
const MAX_MESSAGE_LENGTH = 1_000

/** The runner process' side of the protocol. Whatever a model or its inputs do wrong becomes a `failed` reply. */
export function createAnswerer(): (request: RunnerRequest, body: Uint8Array) => Promise<Answer> {
  const sessions = createSessionCache()
  const devices = new Map<Provider, string>([['cpu', deviceName('cpu')]])

  async function start(wanted: Provider, gpu: number): Promise<Answer> {
    await probeProvider(wanted)
    const device = deviceName(wanted, gpu)
    devices.set(wanted, device)
    return { header: { kind: 'started', device }, bodies: [] }
  }

  async function run(request: RunnerRequest & { kind: 'run' }, body: Uint8Array): Promise<Answer> {
    const { modelPath: path, modelDigest: digest, provider, profile, sizes } = request
    const device = devices.get(provider)
    if (device === undefined) throw new RunError('provider_unavailable', `${provider} was not started`)
    const model = await sessions.load({ path, digest }, provider, profile)
    const runs = []
    const bodies = []
    let end = 0
    for (const size of sizes) {
      end += size
      const { outputs, ...run } = await runOne(model, body.subarray(end - size, end))
      runs.push({ ...run, bytes: outputs.length })
      bodies.push(outputs)
    }
    return { header: { kind: 'ran', runs, device, ort: env.versions.node ?? 'unknown' }, bodies }
  }

  async function answer(request: RunnerRequest, body: Uint8Array): Promise<Answer> {
    switch (request.kind) {
      case 'start':
        return start(request.provider, request.gpu)
      case 'run':
        return run(request, body)
      case 'shapes':
        return { header: { kind: 'shapes', shapes: await outputShapes(body, request.inputs) }, bodies: [] }
    }
  }

  return (request, body) => answer(request, body).catch((error) => ({ header: failure(error), bodies: [] }))
}

async function runOne({ session, signature }: LoadedModel, bundle: Uint8Array) {
  const inputs = parseInputs(bundle)
  checkInputs(inputs, signature.inputs)
  const feeds = Object.fromEntries(inputs.map((input) => [input.name, toOrtTensor(input)]))
  const startedMs = Date.now()
  const outputs = await session.run(feeds)
  const finishedMs = Date.now()
  return {
    startedMs,
    finishedMs,
    batch: inputs.find(({ name }) => name === signature.inputs[0]?.name)?.shape[0] ?? 1,
    outputs: encodeTensorBundle(Object.entries(outputs).map(([name, tensor]) => fromOrtTensor(name, tensor))),
  }
}

function parseInputs(bundle: Uint8Array): Tensor[] {
  try {
    return parseTensorBundle(bundle)
  } catch (cause) {
    if (cause instanceof TensorError) throw new RunError('inputs_invalid', cause.message, { cause })
    throw cause
  }
}

/** What ONNX Runtime throws for a model that it can't run has no class of its own. */
function failure(error: unknown): RunnerReply {
  const code = error instanceof RunError ? error.code : 'model_refused'
  const message = error instanceof Error ? error.message : String(error)
  return { kind: 'failed', code, message: message.slice(0, MAX_MESSAGE_LENGTH) }
}
