import { z } from 'zod'
import { decodeCbor, encodeCbor, MAX_EPOCH_VALUES } from '../../compute/work/canonical-cbor.ts'
import { bytes32 } from '../../compute/work/record.ts'

/** Members of every part of an epoch's list but its last, which has fewer or as many. */
export const PART_LENGTH = 65_536
/** As many openings, or fees, with the longest of names. */
export const MAX_PART_BYTES = 32 * 1024 * 1024
/** Names of 1,900 parts: 120 million members. */
export const MAX_HEAD_BYTES = 65_536

export const partNames = z.array(bytes32)

/** Takes a blob. @returns its digest */
export type Put = (blob: Uint8Array) => Uint8Array | Promise<Uint8Array>

export function encodePart(members: readonly unknown[]): Uint8Array {
  return encodeCbor(members, { maxValues: MAX_EPOCH_VALUES })
}

/** A list of an epoch as blobs, one at a time. @returns their digests: none of nothing */
export async function putParts(
  list: readonly unknown[],
  put: Put,
  length = PART_LENGTH,
): Promise<Uint8Array[]> {
  const digests: Uint8Array[] = []
  for (let from = 0; from < list.length; from += length)
    digests.push(await put(encodePart(list.slice(from, from + length))))
  return digests
}

/** The names of one list's parts. Throws CborError, ZodError. */
export function parsePartNames(bytes: Uint8Array): Uint8Array[] {
  return partNames.parse(decodeCbor(bytes, { maxBytes: MAX_HEAD_BYTES }))
}
