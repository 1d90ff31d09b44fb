import { hash } from 'node:crypto'
import { OtsError } from './ots-error.ts'

/** Operations on a message. The format has more (keccak256, reverse, hexlify); nobody needs them for Bitcoin. */
export type Op =
  | { kind: 'append'; argument: Uint8Array }
  | { kind: 'prepend'; argument: Uint8Array }
  | { kind: 'sha1' }
  | { kind: 'ripemd160' }
  | { kind: 'sha256' }

/** What vouches for a message. Anything but a Bitcoin block, a calendar's promise say, is kept as it came. */
export type Attestation =
  /** The message is the Merkle root of the block at this height. */
  { kind: 'bitcoin'; height: number } | { kind: 'other'; tag: Uint8Array; payload: Uint8Array }

/** A tree: a message, who vouches for it, and what can be made of it. `ops` and `attestations` are not both empty. */
export interface Timestamp {
  message: Uint8Array
  attestations: Attestation[]
  ops: { op: Op; timestamp: Timestamp }[]
}

/** Limits of the reference implementation (python-opentimestamps, core/op.py, core/notary.py, core/timestamp.py). */
export const MAX_MESSAGE_BYTES = 4096
export const MAX_PAYLOAD_BYTES = 8192
/** Operations from the file's digest to an attestation. */
export const MAX_DEPTH = 255
/** Sixteen times the largest file seen; it also bounds how many messages a parser holds. */
export const MAX_OTS_BYTES = 64 * 1024

/** The result of an operation. Throws OtsError when the message becomes too long. */
export function applyOp(op: Op, message: Uint8Array): Uint8Array {
  switch (op.kind) {
    case 'append':
      return joined(message, op.argument)
    case 'prepend':
      return joined(op.argument, message)
    default:
      return new Uint8Array(hash(op.kind, message, 'buffer'))
  }
}

/** The timestamp of one straight way from a digest to an attestation. Throws OtsError. */
export function linearTimestamp(
  digest: Uint8Array,
  steps: readonly Op[],
  attestation: Attestation,
): Timestamp {
  const messages = [digest]
  for (const op of steps) messages.push(applyOp(op, messages.at(-1) ?? digest))
  const leaf: Timestamp = { message: messages.at(-1) ?? digest, attestations: [attestation], ops: [] }
  return steps.reduceRight<Timestamp>((timestamp, op, index) => {
    return { message: messages[index] ?? digest, attestations: [], ops: [{ op, timestamp }] }
  }, leaf)
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length + right.length > MAX_MESSAGE_BYTES) {
    throw new OtsError('ots_too_long', `a message of ${left.length + right.length} bytes`)
  }
  return new Uint8Array(Buffer.concat([left, right]))
}
