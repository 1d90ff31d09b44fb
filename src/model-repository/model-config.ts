import textformat from 'protobufjs/ext/textformat.js'
import { z } from 'zod'
import { modelConfigType } from './model-config-schema.ts'
import { RepositoryError } from './repository-error.ts'

/** Written by hand, one has a few hundred bytes; with labels among its parameters, some ten thousand. */
export const MAX_CONFIG_BYTES = 256 * 1024

/** What is told of one file at once. */
const MAX_ISSUES = 3

export interface DeclaredTensor {
  readonly name: string
  /** As in TYPE_FP32. */
  readonly dataType: string
  /** -1: of any size. */
  readonly dims: readonly number[]
}

/** A number of the newest versions, certain ones, or all. */
export type VersionPolicy = { readonly latest: number } | { readonly specific: readonly number[] } | 'all'

/** What a config.pbtxt says of what is served. */
export interface ModelConfig {
  /** Null: the folder's. */
  readonly name: string | null
  readonly versionPolicy: VersionPolicy
  /** Above 0, `dims` leave out the batch. */
  readonly maxBatchSize: number
  /** None: as the graph has them. */
  readonly inputs: readonly DeclaredTensor[]
  readonly outputs: readonly DeclaredTensor[]
  /** The model's, in its version's folder. */
  readonly fileName: string
  /** Fields that are given and change nothing, each once. */
  readonly ignored: readonly string[]
}

const whole = z
  .bigint()
  .min(BigInt(Number.MIN_SAFE_INTEGER))
  .max(BigInt(Number.MAX_SAFE_INTEGER))
  .transform(Number)

const tensor = z.object({
  name: z.string().min(1),
  dataType: z.string(),
  dims: z.array(whole.refine((size) => size === -1 || size > 0, 'a dimension is -1 or more than 0')),
  isShapeTensor: z.boolean(),
  allowRaggedBatch: z.boolean().default(false),
  optional: z.boolean().default(false),
  isNonLinearFormatIo: z.boolean(),
})

const message = z.object({
  name: z.string(),
  platform: z.string(),
  backend: z.string(),
  maxBatchSize: z.int().min(0),
  input: z.array(tensor),
  output: z.array(tensor),
  versionPolicy: z
    .object({
      latest: z.object({ numVersions: z.int() }).nullish(),
      specific: z.object({ versions: z.array(whole) }).nullish(),
      all: z.object({}).nullish(),
    })
    .nullable(),
  defaultModelFilename: z.string().regex(/^(?!\.\.?$)[^/\\\0]*$/, 'a name without a path'),
  modelTransactionPolicy: z.object({ decoupled: z.boolean() }).nullable(),
})
type Message = z.infer<typeof message>

/**
 * Of a model's config.pbtxt: Triton's ModelConfig in protobuf's text format. `where` begins each error. Throws
 * RepositoryError: `repository_config_malformed`, `repository_config_unsupported`, `repository_platform_unsupported`.
 */
export function parseModelConfig(bytes: Uint8Array, where: string): ModelConfig {
  const ignored = new Set<string>()
  const type = modelConfigType({
    onIgnored: (field) => ignored.add(field),
    onRefused: (field) => refuse(where, field),
  })
  let read: Message
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const object = type.toObject(textformat.fromText(type, text), {
      arrays: true,
      defaults: true,
      enums: String,
      longs: BigInt,
    })
    read = message.parse(object)
  } catch (cause) {
    if (cause instanceof RepositoryError) throw cause
    const why = cause instanceof z.ZodError ? issuesOf(cause) : messageOf(cause)
    throw new RepositoryError('repository_config_malformed', `${where}: ${why}`, { cause })
  }
  checkSupported(read, where)
  return {
    name: read.name === '' ? null : read.name,
    versionPolicy: policyOf(read.versionPolicy),
    maxBatchSize: read.maxBatchSize,
    inputs: read.input,
    outputs: read.output,
    fileName: read.defaultModelFilename === '' ? 'model.onnx' : read.defaultModelFilename,
    ignored: [...ignored],
  }
}

function checkSupported(read: Message, where: string): void {
  const { platform, backend } = read
  if (!['', 'onnxruntime_onnx'].includes(platform) || !['', 'onnxruntime'].includes(backend)) {
    const said = [platform, backend].filter((word) => word !== '').join(', ')
    throw new RepositoryError(
      'repository_platform_unsupported',
      `${where}: ${said}; only models of onnxruntime_onnx are run`,
    )
  }
  if (read.modelTransactionPolicy?.decoupled === true) refuse(where, 'decoupled')
  for (const one of [...read.input, ...read.output]) {
    if (one.isShapeTensor) refuse(where, `is_shape_tensor of ${one.name}`)
    if (one.allowRaggedBatch) refuse(where, `allow_ragged_batch of ${one.name}`)
    if (one.optional) refuse(where, `optional of ${one.name}`)
    if (one.isNonLinearFormatIo) refuse(where, `is_non_linear_format_io of ${one.name}`)
  }
}

function refuse(where: string, field: string): never {
  throw new RepositoryError('repository_config_unsupported', `${where}: ${field} is not supported`)
}

function policyOf(policy: Message['versionPolicy']): VersionPolicy {
  if (policy?.all) return 'all'
  if (policy?.specific) return { specific: policy.specific.versions }
  // As at Triton, 0 is the default: one.
  return { latest: Math.max(policy?.latest?.numVersions ?? 1, 1) }
}

/** A long list may have as many as it has elements. */
function issuesOf({ issues }: z.ZodError): string {
  return z.prettifyError(new z.ZodError(issues.slice(0, MAX_ISSUES)))
}

/** The parser throws plain errors. */
function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
