import assert from 'node:assert/strict'
import { doubleSha256 } from './block-header.ts'

/** The way from a transaction to its block's Merkle root. */
export interface Branch {
  /** Index of the transaction in its block; its bits say which side each sibling is on. */
  position: number
  /** From the leaf up, 32 bytes each, internal byte order. */
  siblings: Uint8Array[]
}

type BranchErrorCode =
  | 'txid_malformed'
  | 'branch_too_deep'
  | 'branch_position' // beyond what the siblings can reach
  | 'branch_sibling' // not 32 bytes
  | 'branch_duplicate' // CVE-2012-2459

export class BranchError extends Error {
  override readonly name = 'BranchError'
  readonly code: BranchErrorCode

  constructor(code: BranchErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** A block of 4,000,000 weight units holds at most 16,666 transactions of 60 bytes (Bitcoin Core, merkleblock.cpp). */
const MAX_DEPTH = Math.ceil(Math.log2(4_000_000 / 4 / 60))
const TXID = /^[0-9a-f]{64}$/

/** The branch of `txids[position]`, with the block's txids in order, hex as bitcoind shows them. Throws BranchError. */
export function proveTransaction(txids: readonly string[], position: number): Branch {
  assert(Number.isInteger(position) && position >= 0 && position < txids.length, `no transaction ${position}`)
  if (txids.length > 2 ** MAX_DEPTH)
    throw new BranchError('branch_too_deep', `a block of ${txids.length} transactions`)
  const siblings: Uint8Array[] = []
  let level = txids.map(txidBytes)
  for (let at = position; level.length > 1; at >>= 1) {
    const last = level.slice(-1)
    if (level.length % 2 === 1) level.push(...last) // Bitcoin pairs an odd node with itself
    siblings.push(...level.slice(at ^ 1, (at ^ 1) + 1))
    level = pairs(level)
  }
  return { position, siblings }
}

/**
 * The Merkle root that a branch leads to, 32 bytes in internal order, to be compared with a header's. A right
 * node that equals its left sibling is refused: it is the copy of an odd node, so the same transaction could be
 * proved at a position that the block doesn't have (CVE-2012-2459). That the transaction has more than 64 bytes,
 * and so isn't an inner node, is for whoever holds its bytes. Throws BranchError.
 */
export function checkBranch(txid: string, branch: Branch): Uint8Array {
  const { position, siblings } = branch
  if (siblings.length > MAX_DEPTH)
    throw new BranchError('branch_too_deep', `a branch of ${siblings.length} siblings`)
  if (!Number.isInteger(position) || position < 0 || position >= 2 ** siblings.length) {
    throw new BranchError('branch_position', `position ${position} with ${siblings.length} siblings`)
  }
  let node = txidBytes(txid)
  for (const [level, sibling] of siblings.entries()) {
    if (sibling.length !== 32)
      throw new BranchError('branch_sibling', `sibling ${level}: ${sibling.length} bytes`)
    const isRight = (position >> level) % 2 === 1
    if (isRight && node.equals(sibling))
      throw new BranchError('branch_duplicate', `sibling ${level} is a copy`)
    node = doubleSha256(isRight ? Buffer.concat([sibling, node]) : Buffer.concat([node, sibling]))
  }
  return new Uint8Array(node)
}

/** Parents of a level of even length. */
function pairs(level: Buffer[]): Buffer[] {
  return Array.from({ length: level.length / 2 }, (_, i) =>
    doubleSha256(Buffer.concat(level.slice(2 * i, 2 * i + 2))),
  )
}

function txidBytes(txid: string): Buffer {
  if (!TXID.test(txid))
    throw new BranchError('txid_malformed', `not a txid: ${JSON.stringify(txid.slice(0, 80))}`)
  return Buffer.from(txid, 'hex').reverse()
}
