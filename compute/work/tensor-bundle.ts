import { encodeCbor } from './canonical-cbor.ts'
import { type CborCursor, cborCursor } from './cbor-cursor.ts'
import { sha256 } from './tagged-hash.ts'

/** The HTTP bodies that carry bundles end there, too. */
export const MAX_BUNDLE_BYTES = 64 * 1024 * 1024
/** Models in use have a few inputs and outputs; the list is sorted and searched as it is. */
const MAX_TENSORS = 64
/** Above every operator's; shapes are printed in errors. */
const MAX_RANK = 16

const MAX_QUOTED_LENGTH = 100

/** Whose elements are a datatype's: FP16 as its bits, BOOL as 0 and 1. */
export const ELEMENT_ARRAYS = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const
export type ElementArray = InstanceType<(typeof ELEMENT_ARRAYS)[keyof typeof ELEMENT_ARRAYS]>

/** The Open Inference Protocol's names. */
export type Datatype = keyof typeof ELEMENT_ARRAYS | 'BYTES'
export const DATATYPES = [...Object.keys(ELEMENT_ARRAYS), 'BYTES'] as readonly Datatype[]

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

/**
 * Throws TensorError for all that is not canonical. The tensors' data are views of `bytes`: outputs of many megabytes are read on the way
 * to every comparison, and building CBOR's values first and encoding them again would take longer than hashing them.
 */
export function parseTensorBundle(bytes: Uint8Array): Tensor[] {
  if (bytes.length > MAX_BUNDLE_BYTES) throw new TensorError(`more than ${MAX_BUNDLE_BYTES} bytes`)
  const cursor = cborCursor(bytes, (detail) => {
    throw new TensorError(detail)
  })
  const count = cursor.list()
  if (count > MAX_TENSORS) throw new TensorError(`more than ${MAX_TENSORS} tensors`)
  const tensors = Array.from({ length: count }, () => readTensor(cursor))
  cursor.end()
  checkTensors(tensors)
  return tensors
}

/** Keys as DAG-CBOR sorts them: shorter first, then bytewise. */
function readTensor(cursor: CborCursor): Tensor {
  cursor.map(4)
  cursor.key('data')
  const data = cursor.bytes()
  cursor.key('name')
  const name = cursor.text()
  cursor.key('shape')
  const rank = cursor.list()
  if (rank > MAX_RANK) throw new TensorError(`${quoted(name)} has more than ${MAX_RANK} dimensions`)
  const shape = Array.from({ length: rank }, () => cursor.integer())
  cursor.key('datatype')
  const datatype = cursor.text()
  if (!isDatatype(datatype))
    throw new TensorError(`${quoted(name)} is of the unknown datatype ${quoted(datatype)}`)
  return { name, datatype, shape, data }
}

function isDatatype(text: string): text is Datatype {
  return DATATYPES.some((datatype) => datatype === text)
}

/** Of one element; null where each carries its own length. */
export function elementBytes(datatype: Datatype): number | null {
  return datatype === 'BYTES' ? null : ELEMENT_ARRAYS[datatype].BYTES_PER_ELEMENT
}

export function bundleDigest(bundle: Uint8Array): Uint8Array {
  return sha256(bundle)
}

function checkTensors(tensors: readonly Tensor[]): void {
  if (tensors.length > MAX_TENSORS) throw new TensorError(`more than ${MAX_TENSORS} tensors`)
  let previous: Tensor | undefined
  for (const tensor of tensors) {
    if (previous !== undefined && compareNames(previous.name, tensor.name) >= 0) {
      throw new TensorError(`${quoted(tensor.name)} does not come after ${quoted(previous.name)}`)
    }
    checkLength(tensor)
    previous = tensor
  }
}

function checkLength({ name, datatype, shape, data }: Tensor): void {
  if (shape.length > MAX_RANK) throw new TensorError(`${quoted(name)} has more than ${MAX_RANK} dimensions`)
  const elements = shape.reduce((product, dimension) => product * dimension, 1)
  const size = elementBytes(datatype)
  const held = size === null ? countLengthPrefixed(data) : data.length / size
  if (held !== elements) {
    throw new TensorError(
      `${quoted(name)} holds ${held ?? 'broken'} elements, ${datatype} [${shape}] says ${elements}`,
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

/** Of a stranger's text what fits in a line of somebody's terminal. */
export function quoted(text: string): string {
  // JSON escapes C0 alone; U+009B begins a sequence as ESC [ does (ECMA-48, 8.3.16).
  return JSON.stringify(text.slice(0, MAX_QUOTED_LENGTH)).replaceAll(
    /[\u007f-\u009f]/g,
    (control) => `\\u00${control.charCodeAt(0).toString(16)}`,
  )
}

/** UTF-8 order, which UTF-16's (that of `<`) differs from above U+FFFF. */
function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'))
}
