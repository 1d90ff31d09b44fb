import { readFile, stat } from 'node:fs/promises'
import { AdmissionError, admitModel, MAX_MODEL_BYTES } from '../onnx/admission.ts'
import { ModelError } from '../onnx/model.ts'
import type { ModelSignature } from '../onnx/signature.ts'
import { InferenceSession } from './onnxruntime.ts'
import { RunError } from './run-error.ts'
import { MAX_SESSIONS, type Provider, type RequiredProfile } from './runner-message.ts'
import { sessionOptions } from './session-options.ts'

export interface LoadedModel {
  session: InferenceSession
  signature: ModelSignature
}

interface SessionCache {
  /** Loads the model where it is not held yet. Throws RunError `model_refused`. */
  load(
    model: { path: string; digest: string },
    provider: Provider,
    profile: RequiredProfile,
  ): Promise<LoadedModel>
}

/** Sessions by digest and profile; the one unused for longest is released. */
export function createSessionCache(): SessionCache {
  const held = new Map<string, LoadedModel>()
  return {
    async load(model, provider, profile) {
      const key = [model.digest, provider, profile.optimization, profile.threads].join()
      const loaded = held.get(key) ?? (await loadModel(model.path, provider, profile))
      // A Map keeps the order of insertion: the first is the one unused for longest.
      held.delete(key)
      held.set(key, loaded)
      const [oldest] = held
      if (held.size > MAX_SESSIONS && oldest !== undefined) {
        held.delete(oldest[0])
        await oldest[1].session.release()
      }
      return loaded
    },
  }
}

async function loadModel(path: string, provider: Provider, profile: RequiredProfile): Promise<LoadedModel> {
  try {
    const { size } = await stat(path)
    if (size > MAX_MODEL_BYTES)
      throw new RunError('model_refused', `${size} bytes, at most ${MAX_MODEL_BYTES}`)
    // From memory: so no model can name another file, and what was admitted is what is loaded.
    const bytes = await readFile(path)
    const { signature } = admitModel(bytes)
    return { session: await InferenceSession.create(bytes, sessionOptions(provider, profile)), signature }
  } catch (error) {
    if (error instanceof RunError) throw error
    if (error instanceof AdmissionError || error instanceof ModelError) {
      throw new RunError('model_refused', `${error.code}: ${error.message}`, { cause: error })
    }
    throw new RunError('model_refused', messageOf(error), { cause: error })
  }
}

/** ONNX Runtime throws plain errors. */
function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
