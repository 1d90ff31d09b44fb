import { MAGIC } from '../../../anchor/ots/tags.ts'
import { checkOts } from './check-ots.ts'
import { checkProof, type Pins } from './check-proof.ts'
import type { HeaderSource } from './header-source.ts'
import type { Result } from './result.ts'

/** What kind of proof it is its first bytes say, whatever its name. Throws Error with a text for the reader. */
export function checkFile(
  bytes: Uint8Array,
  stamped: Uint8Array | null,
  source: HeaderSource,
  pins: Pins,
): Promise<Result> {
  const isOts = MAGIC.equals(bytes.subarray(0, MAGIC.length))
  return isOts ? checkOts(bytes, stamped, source) : checkProof(bytes, source, pins)
}
