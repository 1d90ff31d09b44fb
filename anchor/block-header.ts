import { hash } from 'node:crypto'

/** A block header's fields (Bitcoin Core, primitives/block.h). */
export interface BlockHeader {
  version: number
  /** Hash of the block before, hex as bitcoind shows it. */
  previous: string
  /** 32 bytes in internal order, as Merkle branches and OpenTimestamps use them. */
  merkleRoot: Uint8Array
  /** Unix seconds. */
  time: number
  /** The target in compact form. */
  bits: number
  nonce: number
}

type HeaderErrorCode =
  | 'header_truncated' // not whole 80-byte records, or none
  | 'header_too_many'
  | 'header_start' // a chain can't start at this height here
  | 'header_genesis' // the first header is another chain's
  | 'header_pinned' // a pinned block is not in this chain
  | 'header_unlinked' // doesn't name the block before it
  | 'header_bits' // not the target that the chain's rules ask for, or none at all
  | 'header_time' // not after the median of the eleven before, or BIP-94's time warp
  | 'header_pow' // the hash is above the target

export class HeaderError extends Error {
  override readonly name = 'HeaderError'
  readonly code: HeaderErrorCode
  /** Where in the chain; null for a header on its own. */
  readonly height: number | null

  constructor(code: HeaderErrorCode, height: number | null, message: string) {
    super(height === null ? message : `block ${height}: ${message}`)
    this.code = code
    this.height = height
  }
}

export const HEADER_BYTES = 80
/** Offsets in a header of what the chain's rules read. */
export const PREVIOUS_AT = 4
export const TIME_AT = 68
export const BITS_AT = 72

const MERKLE_ROOT_AT = 36
const NONCE_AT = 76
const MAX_TARGET = (1n << 256n) - 1n

/** Fields of one 80-byte header. Throws HeaderError. */
export function parseHeader(bytes: Uint8Array): BlockHeader {
  if (bytes.length !== HEADER_BYTES) {
    throw new HeaderError('header_truncated', null, `header: expected 80 bytes, received ${bytes.length}`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  return {
    version: view.getInt32(0, true),
    previous: blockHashHex(bytes.subarray(PREVIOUS_AT, MERKLE_ROOT_AT)),
    merkleRoot: bytes.slice(MERKLE_ROOT_AT, TIME_AT),
    time: view.getUint32(TIME_AT, true),
    bits: view.getUint32(BITS_AT, true),
    nonce: view.getUint32(NONCE_AT, true),
  }
}

/** Block hash, hex as bitcoind shows it. */
export function headerHash(bytes: Uint8Array): string {
  return blockHashHex(doubleSha256(bytes))
}

/** Internal byte order to the reversed hex that people read. */
export function blockHashHex(digest: Uint8Array): string {
  return Buffer.from(digest).reverse().toString('hex')
}

export function doubleSha256(bytes: Uint8Array): Buffer {
  return hash('sha256', hash('sha256', bytes, 'buffer'), 'buffer')
}

/**
 * Target of a compact `nBits` (Bitcoin Core, arith_uint256::SetCompact). Refuses negative, zero and oversized
 * values and every form but the one that compactOf gives. Throws HeaderError.
 */
export function targetOf(bits: number, height: number | null = null): bigint {
  const exponent = BigInt(bits >>> 24)
  const mantissa = BigInt(bits & 0x7f_ffff)
  const target = exponent <= 3n ? mantissa >> (8n * (3n - exponent)) : mantissa << (8n * (exponent - 3n))
  if (target === 0n || target > MAX_TARGET || compactOf(target) !== bits) {
    throw new HeaderError('header_bits', height, `not a target: 0x${bits.toString(16).padStart(8, '0')}`)
  }
  return target
}

/** The compact form of a target, rounded down to it (Bitcoin Core, arith_uint256::GetCompact). */
export function compactOf(target: bigint): number {
  let size = Math.ceil(target.toString(16).length / 2)
  let mantissa = Number(size <= 3 ? target << BigInt(8 * (3 - size)) : target >> BigInt(8 * (size - 3)))
  if (mantissa > 0x7f_ffff) {
    mantissa >>= 8 // the mantissa's top bit is a sign
    size += 1
  }
  return size * 0x100_0000 + mantissa
}

/** Expected hashes to find a block at this target (Bitcoin Core, chain.cpp, GetBlockProof). Throws HeaderError. */
export function workOf(bits: number): bigint {
  return (1n << 256n) / (targetOf(bits) + 1n)
}

/** Checks a header's hash against the target that it names itself, and that against the limit. Throws HeaderError. */
export function checkProofOfWork(bytes: Uint8Array, powLimit: bigint): void {
  const { bits } = parseHeader(bytes)
  const target = targetOf(bits)
  if (target > powLimit)
    throw new HeaderError('header_bits', null, 'the target is above the limit of the chain')
  const hashHex = headerHash(bytes)
  if (BigInt(`0x${hashHex}`) > target)
    throw new HeaderError('header_pow', null, `${hashHex} is above its target`)
}
