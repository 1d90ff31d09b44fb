import { z } from 'zod'
import { decodeCbor } from '../../compute/work/canonical-cbor.ts'
import { hex } from '../../compute/work/hex.ts'
import { anyBytes } from '../../compute/work/record.ts'
import { type Check, readable } from './findings.ts'
import type { ReplayState } from './replay-state.ts'

/** 65,536 receipts of 1,024 bytes, the longest list that an entry can name. */
export const MAX_LIST_BYTES = 65_536 * 1_027 + 8

const byteStrings = z.array(anyBytes)

/** A blob that an entry names; null, and a finding, where it can't be had. */
export async function readBlob(
  state: ReplayState,
  check: Check,
  digest: Uint8Array,
  what: string,
): Promise<Uint8Array | null> {
  const bytes = await state.source.blob(digest)
  check(bytes !== null, 'blob_missing', () => `${what} ${hex(digest)} can't be had`)
  return bytes
}

/** A blob that is a list of byte strings, as those of jobs and of receipts are. */
export async function readByteStrings(
  state: ReplayState,
  check: Check,
  digest: Uint8Array,
  what: string,
): Promise<Uint8Array[] | null> {
  const bytes = await readBlob(state, check, digest, what)
  if (bytes === null) return null
  return readable(check, () => byteStrings.parse(decodeCbor(bytes, { maxBytes: MAX_LIST_BYTES })))
}
