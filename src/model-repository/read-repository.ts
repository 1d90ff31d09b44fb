import { join } from 'node:path'
import { AdmissionError, admitModel, MAX_MODEL_BYTES } from '../../compute/onnx/admission.ts'
import { ModelError } from '../../compute/onnx/model.ts'
import type { ModelSignature } from '../../compute/onnx/signature.ts'
import { MAX_MODELS, MODEL_NAME } from '../subnet/definition.ts'
import { checkDeclared } from './check-declared.ts'
import { MAX_CONFIG_BYTES, parseModelConfig } from './model-config.ts'
import { type Inside, openInside } from './read-inside.ts'
import { RepositoryError } from './repository-error.ts'
import { versionToServe } from './version-to-serve.ts'

/** As Triton reads them: what begins with a zero, or is no number, is no version. Fifteen digits are whole as a number. */
const VERSION = /^[1-9]\d{0,14}$/

export interface RepositoryModel {
  readonly name: string
  readonly version: number
  readonly file: Uint8Array
  /** Fields of its config.pbtxt that change nothing here. */
  readonly ignored: readonly string[]
}

/**
 * Models of a folder in Triton's layout, `<model>/<version>/model.onnx` with or without `<model>/config.pbtxt`, by name: those in
 * `only`, or all. Each is admitted, and is what its configuration declares. Throws RepositoryError.
 */
export function readRepository(folder: string, only: readonly string[] | null): RepositoryModel[] {
  const inside = openInside(folder)
  const found = inside.folders('', (name) => only?.includes(name) ?? !name.startsWith('.')).sort()
  const missing = only?.find((name) => !found.includes(name))
  if (missing !== undefined) {
    throw new RepositoryError('repository_model_unknown', `${folder}: there is no folder ${missing}`)
  }
  if (found.length === 0) throw new RepositoryError('repository_empty', `${folder}: there is no model`)
  if (found.length > MAX_MODELS) {
    const models = `${found.length} models, at most ${MAX_MODELS} in a subnet`
    throw new RepositoryError('repository_too_many_models', `${folder}: ${models}`)
  }
  const odd = found.find((name) => !MODEL_NAME.test(name))
  if (odd !== undefined) {
    throw new RepositoryError('repository_name_unsupported', `${odd}: expected ${MODEL_NAME.source}`)
  }
  return found.map((name) => readModel(inside, name))
}

function readModel(inside: Inside, name: string): RepositoryModel {
  const where = join(name, 'config.pbtxt')
  // An empty configuration and none say the same.
  const config = parseModelConfig(inside.file(where, MAX_CONFIG_BYTES) ?? new Uint8Array(), where)
  if (config.name !== null && config.name !== name) {
    throw new RepositoryError(
      'repository_config_differs',
      `${where}: name is "${config.name}", not the folder's`,
    )
  }
  const versions = inside.folders(name, (folder) => VERSION.test(folder)).map(Number)
  const version = versionToServe(versions, config.versionPolicy, name)
  const path = join(name, String(version), config.fileName)
  const file = inside.file(path, MAX_MODEL_BYTES)
  if (file === null) throw new RepositoryError('repository_file_missing', `${path}: is not there`)
  checkDeclared(config, signatureOf(file, path), where)
  return { name, version, file, ignored: config.ignored }
}

function signatureOf(file: Uint8Array, path: string): ModelSignature {
  try {
    return admitModel(file).signature
  } catch (cause) {
    if (!(cause instanceof AdmissionError || cause instanceof ModelError)) throw cause
    throw new RepositoryError('repository_model_refused', `${path}: ${cause.code}: ${cause.message}`, {
      cause,
    })
  }
}
