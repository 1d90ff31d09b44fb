import { decodeCbor, encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { DefinitionError } from './definition.ts'

/** 1,000,000 digests of 34 bytes, and the list's own header. */
const MAX_LIST_BYTES = 34_000_016

/** A dataset list: the digests of its input bundles, in order; the list's SHA-256 names the dataset. */
export function encodeDataset(digests: readonly Uint8Array[]): Uint8Array {
  return encodeCbor(digests)
}

/** Throws DefinitionError, CborError. An input that comes twice would be paid twice: it is refused. */
export function parseDataset(bytes: Uint8Array): Uint8Array[] {
  const value = decodeCbor(bytes, { maxBytes: MAX_LIST_BYTES })
  if (!Array.isArray(value)) throw new DefinitionError('dataset list: expected a list of digests')
  const seen = new Set<string>()
  return value.map((digest, index) => {
    if (!(digest instanceof Uint8Array) || digest.length !== 32) {
      throw new DefinitionError(`dataset list: item ${index}: expected 32 bytes`)
    }
    if (seen.size === seen.add(Buffer.from(digest).toString('hex')).size) {
      throw new DefinitionError(`dataset list: item ${index} is there already`)
    }
    return digest
  })
}
