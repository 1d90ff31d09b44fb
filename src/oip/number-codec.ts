import type { Datatype } from '../../compute/work/tensor-bundle.ts'

/** A datatype whose elements JSON writes as numbers: little-endian bytes on one side, a double on the other. */
interface NumberCodec {
  readonly bytes: number
  /** What the datatype takes, for people. */
  readonly range: string
  accepts(value: number): boolean
  /** Integers beyond ±(2^53 − 1) come rounded, and are not accepted then. */
  read(view: DataView, at: number): number
  write(view: DataView, at: number, value: number): void
}

const { MAX_SAFE_INTEGER } = Number

export const NUMBER_CODECS = {
  UINT8: {
    ...integer(1, 0, 2 ** 8 - 1),
    read: (view, at) => view.getUint8(at),
    write: (view, at, value) => view.setUint8(at, value),
  },
  UINT16: {
    ...integer(2, 0, 2 ** 16 - 1),
    read: (view, at) => view.getUint16(at, true),
    write: (view, at, value) => view.setUint16(at, value, true),
  },
  UINT32: {
    ...integer(4, 0, 2 ** 32 - 1),
    read: (view, at) => view.getUint32(at, true),
    write: (view, at, value) => view.setUint32(at, value, true),
  },
  UINT64: {
    ...integer(8, 0, MAX_SAFE_INTEGER),
    read: (view, at) => Number(view.getBigUint64(at, true)),
    write: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
  },
  INT8: {
    ...integer(1, -(2 ** 7), 2 ** 7 - 1),
    read: (view, at) => view.getInt8(at),
    write: (view, at, value) => view.setInt8(at, value),
  },
  INT16: {
    ...integer(2, -(2 ** 15), 2 ** 15 - 1),
    read: (view, at) => view.getInt16(at, true),
    write: (view, at, value) => view.setInt16(at, value, true),
  },
  INT32: {
    ...integer(4, -(2 ** 31), 2 ** 31 - 1),
    read: (view, at) => view.getInt32(at, true),
    write: (view, at, value) => view.setInt32(at, value, true),
  },
  INT64: {
    ...integer(8, -MAX_SAFE_INTEGER, MAX_SAFE_INTEGER),
    read: (view, at) => Number(view.getBigInt64(at, true)),
    write: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
  },
  FP32: {
    bytes: 4,
    range: 'a finite number within ±3.4028235e38',
    // Rounded first: the doubles just above the greatest float are it.
    accepts: (value) => Number.isFinite(Math.fround(value)),
    read: (view, at) => view.getFloat32(at, true),
    write: (view, at, value) => view.setFloat32(at, value, true),
  },
  FP64: {
    bytes: 8,
    range: 'a finite number',
    accepts: Number.isFinite,
    read: (view, at) => view.getFloat64(at, true),
    write: (view, at, value) => view.setFloat64(at, value, true),
  },
} as const satisfies Partial<Record<Datatype, NumberCodec>>

function integer(bytes: number, min: number, max: number) {
  return {
    bytes,
    range: `an integer of ${min} to ${max}`,
    accepts: (value: number) => Number.isInteger(value) && value >= min && value <= max,
  }
}
