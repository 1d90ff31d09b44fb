import { isUtf8 } from 'node:buffer'
import { lengthPrefixed, prefixLengths } from '../../compute/work/length-prefixed.ts'
import type { Datatype, Tensor } from '../../compute/work/tensor-bundle.ts'
import { flattenData } from './flatten-data.ts'
import { NUMBER_CODECS } from './number-codec.ts'
import { OipError } from './oip-error.ts'

/** About 20 characters each: some 80 MB of text in one answer. More is for binary outputs. */
const MAX_JSON_ELEMENTS = 4 * 1024 * 1024

/** A tensor's data from its JSON. Throws OipError. */
export function dataFromJson(
  name: string,
  datatype: Datatype,
  shape: readonly number[],
  json: unknown,
): Uint8Array {
  if (datatype === 'FP16')
    throw new OipError('binary_required', `"${name}" is FP16, which JSON has no form for`)
  const elements = flattenData(name, shape, json)
  if (datatype === 'BYTES') return prefixLengths(elements.map((value, at) => bytesOf(name, at, value)))
  if (datatype === 'BOOL') return Uint8Array.from(elements, (value, at) => bitOf(name, at, value))
  const codec = NUMBER_CODECS[datatype]
  const data = new Uint8Array(elements.length * codec.bytes)
  const view = new DataView(data.buffer)
  for (const [at, value] of elements.entries()) {
    if (typeof value !== 'number' || !codec.accepts(value)) {
      const hint = codec.bytes === 8 ? '; beyond that only as binary data' : ''
      throw wrongElement(name, at, `${codec.range}${hint}`, value)
    }
    codec.write(view, at * codec.bytes, value)
  }
  return data
}

/** A tensor's data for JSON, flat. Minus zero becomes zero (JSON.stringify). Throws OipError `binary_required`. */
export function dataToJson({ name, datatype, data }: Tensor): (boolean | number | string)[] {
  if (datatype === 'FP16') throw binaryOnly(name, 'is FP16')
  if (datatype === 'BYTES') return textsOf(name, data)
  if (datatype === 'BOOL') {
    checkCount(name, data.length)
    return Array.from(data, (byte) => byte !== 0)
  }
  const codec = NUMBER_CODECS[datatype]
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const count = data.length / codec.bytes
  checkCount(name, count)
  return Array.from({ length: count }, (_, at) => {
    const value = codec.read(view, at * codec.bytes)
    if (!codec.accepts(value)) throw binaryOnly(name, `holds ${value}`)
    return value
  })
}

function textsOf(name: string, data: Uint8Array): string[] {
  const texts: string[] = []
  for (const element of lengthPrefixed(data)) {
    if (element === null || !isUtf8(element)) throw binaryOnly(name, 'holds bytes that are not UTF-8')
    checkCount(name, texts.push(Buffer.from(element).toString('utf8')))
  }
  return texts
}

function bytesOf(name: string, at: number, value: unknown): Uint8Array {
  if (typeof value !== 'string' || !value.isWellFormed()) {
    throw wrongElement(name, at, 'a string of whole Unicode characters', value)
  }
  return Buffer.from(value, 'utf8')
}

function bitOf(name: string, at: number, value: unknown): number {
  if (typeof value !== 'boolean') throw wrongElement(name, at, 'true or false', value)
  return value ? 1 : 0
}

function checkCount(name: string, count: number): void {
  if (count > MAX_JSON_ELEMENTS) throw binaryOnly(name, `has more than ${MAX_JSON_ELEMENTS} elements`)
}

function wrongElement(name: string, at: number, expected: string, value: unknown): OipError {
  const received = typeof value === 'number' ? value : Array.isArray(value) ? 'an array' : typeof value
  return new OipError(
    'value_invalid',
    `element ${at} of "${name}": expected ${expected}; received ${received}`,
  )
}

/** The answer to a request for JSON that JSON can't give. */
export function binaryOnly(name: string, why: string): OipError {
  const hint = 'ask for it as binary data (binary_data or binary_data_output)'
  return new OipError('binary_required', `output "${name}" ${why}, which JSON has no form for: ${hint}`)
}
