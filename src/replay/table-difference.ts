import { decodeCbor, MAX_EPOCH_VALUES } from '../../compute/work/canonical-cbor.ts'

/** As the list of openings: about 500,000 lines. */
const MAX_TABLE_BYTES = 64 * 1024 * 1024

/** Where two tables in CBOR differ first, for people. */
export function tableDifference(claimed: Uint8Array, recomputed: Uint8Array): string {
  const limit = { maxBytes: MAX_TABLE_BYTES, maxValues: MAX_EPOCH_VALUES }
  try {
    return difference(decodeCbor(claimed, limit), decodeCbor(recomputed, limit), '') ?? 'equal'
  } catch (error) {
    if (error instanceof Error && 'code' in error) return error.message
    throw error
  }
}

function difference(claimed: unknown, recomputed: unknown, path: string): string | null {
  if (!isComposite(claimed) || !isComposite(recomputed)) {
    return claimed === recomputed ? null : `${path} is ${text(claimed)}, recomputed ${text(recomputed)}`
  }
  for (const key of new Set([...Object.keys(recomputed), ...Object.keys(claimed)])) {
    const inner = difference(Reflect.get(claimed, key), Reflect.get(recomputed, key), `${path}.${key}`)
    if (inner !== null) return inner
  }
  return null
}

function isComposite(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
}

function text(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return isComposite(value)
    ? JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `${one}` : one))
    : `${value}`
}
