import assert from 'node:assert/strict'
import { blockHashHex, HEADER_BYTES, HeaderError, headerHash } from './block-header.ts'
import { applyHeaderRules, HASH_BYTES } from './header-rules.ts'
import { NETWORK_NAMES, type Network, type NetworkName, networkOf } from './network.ts'
import { PERIOD_BLOCKS } from './retarget.ts'

/** Checked headers in a row. To ask for a height that isn't among them is a bug. */
export interface HeaderChain {
  tipHeight: number
  /** Hex as bitcoind shows it, here and below. */
  tipHash: string
  /** Expected hashes spent on these headers: what chains are compared by. */
  work: bigint
  hashAt(height: number): string
  headerAt(height: number): Uint8Array
  /** Null when the block is not in the chain. */
  heightOf(hashHex: string): number | null
}

export interface HeaderChainOptions {
  /** Blocks that must be in the chain. */
  pinned?: readonly { height: number; hash: string }[]
  /** Height of the first record; 0 unless told. Above 0 that block must be pinned, and begin a period. */
  startHeight?: number
}

/** 90 years of blocks, 380 MB: more is not a chain of headers. */
const MAX_HEADERS = 4_730_000

/**
 * Checks 80-byte headers in a row, from genesis unless told: links, proof of work, targets, times, pinned blocks.
 * Only their work tells chains apart, never their height. Signet's blocks are signed, which headers don't show:
 * there, pin. `bytes` is kept and must not change. Throws HeaderError.
 */
export function checkHeaderChain(
  bytes: Uint8Array,
  network: NetworkName,
  options: HeaderChainOptions = {},
): HeaderChain {
  return checkHeaders(bytes, networkOf(network), options)
}

/** The same under the constants given. */
export function checkHeaders(bytes: Uint8Array, network: Network, options: HeaderChainOptions): HeaderChain {
  const { pinned = [], startHeight = 0 } = options
  assert(Number.isSafeInteger(startHeight) && startHeight >= 0, `start height ${startHeight}`)
  const count = bytes.length / HEADER_BYTES
  if (!Number.isInteger(count) || count === 0) {
    throw new HeaderError(
      'header_truncated',
      null,
      `${bytes.length} bytes are not one or more 80-byte headers`,
    )
  }
  if (count > MAX_HEADERS) throw new HeaderError('header_too_many', null, `${count} headers`)
  if (startHeight > 0 && network.retargets && startHeight % PERIOD_BLOCKS !== 0) {
    throw new HeaderError(
      'header_start',
      startHeight,
      'the middle of a period, whose target cannot be checked',
    )
  }
  const first = headerHash(bytes.subarray(0, HEADER_BYTES))
  if (startHeight === 0 && first !== network.genesisHash) {
    const other = NETWORK_NAMES.find((name) => networkOf(name).genesisHash === first)
    const whose = other === undefined ? '' : `, but of ${other}`
    throw new HeaderError('header_genesis', 0, `${first} is not the genesis block of ${network.name}${whose}`)
  }
  if (startHeight > 0 && !pinned.some(({ height }) => height === startHeight)) {
    throw new HeaderError('header_start', startHeight, 'neither the genesis block nor a pinned one')
  }

  const { hashes, work } = applyHeaderRules(bytes, startHeight, network)
  const chain = headerChain(bytes, hashes, startHeight, work)
  for (const { height, hash } of pinned) {
    if (chain.heightOf(hash) !== height)
      throw new HeaderError('header_pinned', height, `not the pinned ${hash}`)
  }
  return chain
}

function headerChain(bytes: Uint8Array, hashes: Uint8Array, startHeight: number, work: bigint): HeaderChain {
  const tipHeight = startHeight + hashes.length / HASH_BYTES - 1
  const recordAt = (records: Uint8Array, recordBytes: number, height: number): Uint8Array => {
    assert(height >= startHeight && height <= tipHeight, `no header at height ${height}`)
    const at = (height - startHeight) * recordBytes
    return records.subarray(at, at + recordBytes)
  }
  const hashAt = (height: number) => blockHashHex(recordAt(hashes, HASH_BYTES, height))
  return {
    tipHeight,
    tipHash: hashAt(tipHeight),
    work,
    hashAt,
    headerAt: (height) => recordAt(bytes, HEADER_BYTES, height),
    heightOf: (hashHex) => {
      const index = indexOfRecord(hashes, Buffer.from(hashHex, 'hex').reverse())
      return index === -1 ? null : startHeight + index
    },
  }
}

/** A search through the bytes, 30 ms at worst over 900,000 hashes; a map of them all would cost 100 MB. */
function indexOfRecord(hashes: Uint8Array, wanted: Buffer): number {
  if (wanted.length !== HASH_BYTES) return -1
  const haystack = Buffer.from(hashes.buffer, hashes.byteOffset, hashes.length)
  let at = haystack.indexOf(wanted)
  while (at % HASH_BYTES > 0) at = haystack.indexOf(wanted, at + 1) // across two hashes: not one of them
  return at === -1 ? -1 : at / HASH_BYTES
}
