import { z } from 'zod'
import { encodeCbor } from './canonical-cbor.ts'
import { anyBytes, integer, parseRecord } from './record.ts'
import { sha256 } from './tagged-hash.ts'

/** The HTTP bodies that carry bundles end there, too. */
export const MAX_BUNDLE_BYTES = 64 * 1024 * 1024
/** Models in use have a few inputs and outputs; the list is sorted and searched as it is. */
const MAX_TENSORS = 64
/** Above every operator's; shapes are printed in errors. */
const MAX_RANK = 16

/** Bytes of one element; null where each carries its own length. */
const ELEMENT_BYTES = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: null,
} as const

const bundleSchema = z
  .array(
    z.strictObject({
      data: anyBytes,
      datatype: z.enum(Object.keys(ELEMENT_BYTES) as Datatype[]),
      name: z.string(),
      shape: z.array(integer).max(MAX_RANK),
    }),
  )
  .max(MAX_TENSORS)

/** The Open Inference Protocol's names. */
export type Datatype = keyof typeof ELEMENT_BYTES

export interface Tensor {
  name: string
  datatype: Datatype
  shape: number[]
  /** Row-major, little-endian; BYTES elements each behind a uint32 LE length (OIP's binary tensor extension). */
  data: Uint8Array
}

export class TensorError extends Error {
  readonly code = 'tensor_malformed'

  constructor(detail: string, options?: ErrorOptions) {
    super(`tensor bundle: ${detail}`, options)
    this.name = 'TensorError'
  }
}

/** Sorts by name. Throws TensorError for whatever `parseTensorBundle` would refuse. */
export function encodeTensorBundle(tensors: readonly Tensor[]): Uint8Array {
  const sorted = tensors.toSorted((a, b) => compareNames(a.name, b.name))
  checkTensors(sorted)
  const bytes = encodeCbor(sorted.map(({ data, datatype, name, shape }) => ({ data, datatype, name, shape })))
  if (bytes.length > MAX_BUNDLE_BYTES) throw new TensorError(`more than ${MAX_BUNDLE_BYTES} bytes`)
  return bytes
}

export function parseTensorBundle(bytes: Uint8Array): Tensor[] {
  const tensors = parseRecord(
    bundleSchema,
    bytes,
    MAX_BUNDLE_BYTES,
    (detail, cause) => new TensorError(detail, { cause }),
  )
  checkTensors(tensors)
  return tensors
}

export function bundleDigest(bundle: Uint8Array): Uint8Array {
  return sha256(bundle)
}

function checkTensors(tensors: readonly Tensor[]): void {
  if (tensors.length > MAX_TENSORS) throw new TensorError(`more than ${MAX_TENSORS} tensors`)
  let previous: Tensor | undefined
  for (const tensor of tensors) {
    if (previous !== undefined && compareNames(previous.name, tensor.name) >= 0) {
      throw new TensorError(`"${tensor.name}" does not come after "${previous.name}"`)
    }
    checkLength(tensor)
    previous = tensor
  }
}

function checkLength({ name, datatype, shape, data }: Tensor): void {
  if (shape.length > MAX_RANK) throw new TensorError(`"${name}" has more than ${MAX_RANK} dimensions`)
  const elements = shape.reduce((product, dimension) => product * dimension, 1)
  const elementBytes = ELEMENT_BYTES[datatype]
  const held = elementBytes === null ? countLengthPrefixed(data) : data.length / elementBytes
  if (held !== elements) {
    throw new TensorError(
      `"${name}" holds ${held ?? 'broken'} elements, ${datatype} [${shape}] says ${elements}`,
    )
  }
}

/** Elements in the data of a BYTES tensor; null when the last one is cut. */
function countLengthPrefixed(data: Uint8Array): number | null {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  let elements = 0
  let offset = 0
  while (offset < data.length) {
    if (offset + 4 > data.length) return null
    offset += 4 + view.getUint32(offset, true)
    elements++
  }
  return offset === data.length ? elements : null
}

/** UTF-8 order, which UTF-16's (that of `<`) differs from above U+FFFF. */
function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'))
}
