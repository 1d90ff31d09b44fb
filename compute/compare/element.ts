import type { Datatype, Tensor } from '../work/tensor-bundle.ts'

/** Bytes and value of one element; binary16 is shown as its bits alone (DataView reads it from Node 24 on). */
const READERS: Record<Exclude<Datatype, 'BYTES'>, [bytes: number, read: (view: DataView) => unknown]> = {
  BOOL: [1, (view) => view.getUint8(0)],
  UINT8: [1, (view) => view.getUint8(0)],
  UINT16: [2, (view) => view.getUint16(0, true)],
  UINT32: [4, (view) => view.getUint32(0, true)],
  UINT64: [8, (view) => view.getBigUint64(0, true)],
  INT8: [1, (view) => view.getInt8(0)],
  INT16: [2, (view) => view.getInt16(0, true)],
  INT32: [4, (view) => view.getInt32(0, true)],
  INT64: [8, (view) => view.getBigInt64(0, true)],
  FP16: [2, () => 'binary16'],
  FP32: [4, (view) => view.getFloat32(0, true)],
  FP64: [8, (view) => view.getFloat64(0, true)],
}

/** Of a BYTES element only the first bytes are shown. */
const MAX_SHOWN_BYTES = 32

const BYTES_PREFIX_BYTES = 4

/** The element that holds the byte at `byteOffset`: its index, and its value with its bits, for people. */
export function elementAt({ datatype, data }: Tensor, byteOffset: number): { index: number; text: string } {
  if (datatype === 'BYTES') return lengthPrefixedAt(data, byteOffset)
  const [bytes, read] = READERS[datatype]
  const index = Math.floor(byteOffset / bytes)
  const element = data.subarray(index * bytes, (index + 1) * bytes)
  const value = read(new DataView(element.buffer, element.byteOffset, element.length))
  return { index, text: `${value} (${bits(element.toReversed())})` }
}

function lengthPrefixedAt(data: Uint8Array, byteOffset: number): { index: number; text: string } {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  let start = 0
  let index = 0
  for (;;) {
    const end = start + BYTES_PREFIX_BYTES + view.getUint32(start, true)
    if (end > byteOffset) return { index, text: bits(data.subarray(start + BYTES_PREFIX_BYTES, end)) }
    start = end
    index++
  }
}

function bits(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes.subarray(0, MAX_SHOWN_BYTES)).toString('hex')}`
}
