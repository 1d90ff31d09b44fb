import type { Op } from './timestamp.ts'

/** File header of a detached timestamp, then its major version (python-opentimestamps, core/timestamp.py). */
export const MAGIC = Buffer.concat([
  Buffer.from('\0OpenTimestamps\0\0Proof\0', 'latin1'),
  Buffer.from('bf89e2e884e89294', 'hex'),
])
export const MAJOR_VERSION = 1

/** Tags of operations (core/op.py). */
export const OP_TAGS: Record<Op['kind'], number> = {
  sha1: 0x02,
  ripemd160: 0x03,
  sha256: 0x08,
  append: 0xf0,
  prepend: 0xf1,
}

/** An attestation follows. */
export const ATTESTATION_TAG = 0x00
/** One more operation or attestation of the same message follows after the next one. */
export const FORK_TAG = 0xff

/** An attestation's tag has 8 bytes; a block's height is the payload of this one (core/notary.py). */
export const ATTESTATION_TAG_BYTES = 8
export const BITCOIN_TAG = Buffer.from('0588960d73d71901', 'hex')
