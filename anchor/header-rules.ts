import { hash } from 'node:crypto'
import { BITS_AT, HEADER_BYTES, HeaderError, PREVIOUS_AT, TIME_AT, targetOf, workOf } from './block-header.ts'
import type { Network } from './network.ts'
import { bitsWithin, PERIOD_BLOCKS, retarget } from './retarget.ts'

export const HASH_BYTES = 32
/** The median time past is taken over this many blocks (Bitcoin Core, chain.h, nMedianTimeSpan). */
const MEDIAN_TIME_BLOCKS = 11
/** BIP-94: the first block of a period may be this much older than the block before it. */
const MAX_TIME_WARP_SECONDS = 600

/**
 * Checks what headers can show of a chain: links, targets, times and proof of work of the 80-byte records in
 * `bytes`, the first of them at `startHeight`. Answers with their hashes in a row, in internal byte order, and the
 * work in them. One pass and no object per header: 900,000 take little longer than to hash. Throws HeaderError.
 */
export function applyHeaderRules(
  bytes: Uint8Array,
  startHeight: number,
  network: Network,
): { hashes: Uint8Array; work: bigint } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const count = bytes.length / HEADER_BYTES
  const hashes = new Uint8Array(count * HASH_BYTES)
  let [firstBits, firstTime, previousTime] = [0, 0, 0]
  let target: Target | null = null
  let work = 0n
  for (let index = 0; index < count; index++) {
    const height = startHeight + index
    const at = index * HEADER_BYTES
    const time = view.getUint32(at + TIME_AT, true)
    const bits = view.getUint32(at + BITS_AT, true)
    const startsPeriod = height % PERIOD_BLOCKS === 0
    if (index > 0) {
      checkLink(bytes, at, hashes, index, height)
      const expected = startsPeriod
        ? retarget(network, firstBits, firstTime, previousTime)
        : bitsWithin(network, firstBits, previousTime, time)
      if (bits !== expected) throw new HeaderError('header_bits', height, `${bits} where ${expected} is due`)
      checkMedianTime(view, index, startHeight, time)
      if (startsPeriod && network.bip94 && time < previousTime - MAX_TIME_WARP_SECONDS) {
        throw new HeaderError(
          'header_time',
          height,
          'a period begins more than ten minutes back in time (BIP-94)',
        )
      }
    }
    if (startsPeriod || index === 0) [firstBits, firstTime] = [bits, time]
    previousTime = time
    if (target?.bits !== bits) target = readTarget(bits, height)
    const header = bytes.subarray(at, at + HEADER_BYTES)
    const digest = hash('sha256', hash('sha256', header, 'buffer'), 'buffer')
    if (isAbove(digest, target.bytes))
      throw new HeaderError('header_pow', height, 'the hash is above its target')
    hashes.set(digest, index * HASH_BYTES)
    work += target.work
  }
  return { hashes, work }
}

interface Target {
  bits: number
  /** Little-endian, as a hash is in internal order. */
  bytes: Uint8Array
  work: bigint
}

function readTarget(bits: number, height: number): Target {
  const hex = targetOf(bits, height)
    .toString(16)
    .padStart(2 * HASH_BYTES, '0')
  return { bits, bytes: Buffer.from(hex, 'hex').reverse(), work: workOf(bits) }
}

function checkLink(bytes: Uint8Array, at: number, hashes: Uint8Array, index: number, height: number): void {
  const previousAt = (index - 1) * HASH_BYTES
  for (let i = 0; i < HASH_BYTES; i++) {
    if (bytes[at + PREVIOUS_AT + i] !== hashes[previousAt + i]) {
      throw new HeaderError('header_unlinked', height, 'does not name the block before it')
    }
  }
}

/** A block's time is after the median of the eleven before it, or of all when there are fewer since genesis. */
function checkMedianTime(view: DataView, index: number, startHeight: number, time: number): void {
  const known = Math.min(index, MEDIAN_TIME_BLOCKS)
  if (known < MEDIAN_TIME_BLOCKS && startHeight > 0) return // the median takes blocks that aren't here
  let earlier = 0
  for (let back = 1; back <= known; back++) {
    if (view.getUint32((index - back) * HEADER_BYTES + TIME_AT, true) < time) earlier++
  }
  if (earlier <= Math.floor(known / 2)) {
    throw new HeaderError('header_time', startHeight + index, 'not after the median of the blocks before it')
  }
}

function isAbove(digest: Uint8Array, target: Uint8Array): boolean {
  for (let i = HASH_BYTES - 1; i >= 0; i--) {
    const difference = (digest[i] ?? 0) - (target[i] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return false
}
