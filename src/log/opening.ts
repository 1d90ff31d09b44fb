import { z } from 'zod'
import { decodeCbor, encodeCbor, MAX_EPOCH_VALUES } from '../../compute/work/canonical-cbor.ts'
import { anyBytes, bytes32, integer } from '../../compute/work/record.ts'

/** What the commitments of a job and its receipt hid until settlement; bundles are blobs, named by digest. */
const opening = z.strictObject({
  /** Unix ms on the coordinator's clock, when the answer came. */
  answeredMs: integer,
  input: bytes32,
  inputSalt: bytes32,
  job: bytes32,
  origin: anyBytes,
  originSalt: bytes32,
  output: bytes32,
  outputSalt: bytes32,
})

export type Opening = z.infer<typeof opening>

/** Of as many receipts as may wait for settlement (src/coordinator/unsettled-watch.ts), with the longest of origins. */
export const MAX_OPENINGS_BYTES = 64 * 1024 * 1024

export function encodeOpenings(openings: readonly Opening[]): Uint8Array {
  return encodeCbor(openings, { maxValues: MAX_EPOCH_VALUES })
}

export function parseOpenings(bytes: Uint8Array): Opening[] {
  return z
    .array(opening)
    .parse(decodeCbor(bytes, { maxBytes: MAX_OPENINGS_BYTES, maxValues: MAX_EPOCH_VALUES }))
}
