import { z } from 'zod'
import { OipError } from './oip-error.ts'

/** As many as a tensor bundle may hold, in tensors and in dimensions. */
const MAX_TENSORS = 64
const MAX_RANK = 16
/** An id is echoed; a UUID has 36 characters. */
const MAX_ID_LENGTH = 256
/**
 * Enough for 1,920 × 1,080 pixels of three colours, nested. 64 MiB of empty arrays, 64 KiB where they come packed, would
 * take ten seconds and gigabytes.
 */
const MAX_JSON_PARTS = 1 << 21

// Parameters that nobody here knows are passed over, as Triton passes on its backends' own.
const input = z.object({
  name: z.string(),
  datatype: z.string(),
  shape: boundedArray(z.int().min(0), MAX_RANK),
  data: maybe(z.unknown()),
  parameters: maybe(
    z.object({ binary_data_size: maybe(z.int().min(0)), shared_memory_region: maybe(z.unknown()) }),
  ),
})

const output = z.object({
  name: z.string(),
  parameters: maybe(
    z.object({
      binary_data: maybe(z.boolean()),
      classification: maybe(z.unknown()),
      shared_memory_region: maybe(z.unknown()),
    }),
  ),
})

const head = z.object({
  id: maybe(z.string().max(MAX_ID_LENGTH)),
  inputs: boundedArray(input, MAX_TENSORS),
  outputs: maybe(boundedArray(output, MAX_TENSORS)),
  parameters: maybe(
    z.object({
      binary_data_output: maybe(z.boolean()),
      priority: maybe(z.int().min(0)),
      timeout: maybe(z.int().min(0)),
    }),
  ),
})

export type RequestHead = z.infer<typeof head>
export type RequestInput = z.infer<typeof input>
export type RequestOutput = z.infer<typeof output>

/** $inference_request of the Open Inference Protocol v2, with the binary tensor, priority and timeout parameters. Throws OipError. */
export function parseRequestHead(json: Uint8Array): RequestHead {
  const result = head.safeParse(parseJson(json))
  if (result.success) return result.data
  // One is enough: a hostile body has millions.
  const [issue] = result.error.issues
  const where = issue === undefined || issue.path.length === 0 ? 'the request' : z.core.toDotPath(issue.path)
  throw new OipError('request_malformed', `${where}: ${issue?.message}`)
}

function parseJson(json: Uint8Array): unknown {
  if (json.length > MAX_JSON_PARTS && hasManyParts(json)) {
    const most = `more than ${MAX_JSON_PARTS} arrays, objects and members`
    throw new OipError(
      'request_malformed',
      `the request holds ${most}: send large tensors flat or as binary data`,
    )
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json))
  } catch (cause) {
    const why = cause instanceof SyntaxError ? 'JSON' : 'UTF-8'
    throw new OipError('request_malformed', `the request's first ${json.length} bytes are not ${why}`, {
      cause,
    })
  }
}

/** Counts `[`, `{` and `:`, which text may hold, too, but seldom a million times. */
function hasManyParts(json: Uint8Array): boolean {
  let parts = 0
  for (let at = 0; at < json.length && parts <= MAX_JSON_PARTS; at++) {
    const byte = json[at]
    if (byte === 0x5b || byte === 0x7b || byte === 0x3a) parts++
  }
  return parts > MAX_JSON_PARTS
}

/** Counts before it looks at any element: what is too long costs one error, not one for each. */
function boundedArray<T extends z.ZodType>(element: T, max: number) {
  return z.array(z.unknown()).max(max).pipe(z.array(element))
}

/** Null is as good as none, as KServe takes it: some clients write every field of their own. */
function maybe<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => value ?? undefined, schema.optional())
}
