import { utils } from '@scure/btc-signer'
import type { Database } from 'better-sqlite3'
import { adoptAnchors, type FoundAnchor } from './adopt-anchors.ts'
import { isSigned, type SignedAttempt } from './anchor-attempt.ts'
import { type AnchorStore, openAnchorStore, type SealBreak } from './anchor-store.ts'
import { type Method, type Outpoint, txidOf } from './anchor-transaction.ts'
import { sealAfter } from './anchor-works.ts'
import { spenderIn } from './find-spender.ts'
import { identifyAnchor } from './identify-anchor.ts'
import type { Node } from './node.ts'
import { appendPayload, readPayloads } from './payload-file.ts'
import { type LogRoots, readFoundAnchor } from './read-found-anchor.ts'
import { RecoverError } from './recover-error.ts'

interface RecoverOptions {
  /** The anchorer's: empty, or older than the chain. */
  db: Database
  node: Node
  method: Method
  /** The log's name. */
  origin: string
  /** 32 bytes, from the keystore. */
  secretKey: Uint8Array
  /** As genesis names it. */
  firstSeal: Outpoint & { valueSats: bigint }
  payloadFile: string
  finalDepth: number
  /** Where an empty database begins to look: a height at or below the first anchor's. */
  fromHeight: number
  log: LogRoots
}

interface Recovery {
  /** Anchors that were read from the chain. */
  found: number
  /** The foreign transaction at which the chain of seals ends. */
  brokenBy: SealBreak | null
}

/**
 * Rebuilds the anchors of a lost, old or deeply reorganised database: follows the seals through the best chain's
 * blocks, from the last final anchor that still holds. Each block is read whole, so that no txindex is needed; a year
 * of mainnet's takes the better part of an hour. No anchorer may be open. Throws RecoverError, PayloadFileError,
 * NodeError, RpcError; then nothing has changed.
 */
export async function recoverAnchors(options: RecoverOptions): Promise<Recovery> {
  const { db, node, payloadFile, finalDepth } = options
  const tip = await node.chain()
  if (tip.initialBlockDownload) throw new RecoverError('node_syncing', 'the node is still catching up')
  const base = await lastHolding(node, openAnchorStore(db))
  const payloads = readPayloads(payloadFile)
  const { found, brokenBy } = await followSeals(options, base, tip.height, payloads)
  if ((await node.blockHash(tip.height)) !== tip.hash) {
    throw new RecoverError('tip_moved', `block ${tip.height} left the best chain meanwhile`)
  }
  // The file is what a taproot seal can't be spent without: it is whole before the database relies on it.
  const kept = new Set(payloads.map(hex))
  for (const { payload } of found) if (!kept.has(hex(payload))) appendPayload(payloadFile, payload)
  adoptAnchors(db, { base, found, tipHeight: tip.height, finalDepth })
  return { found: found.length, brokenBy }
}

/** The last final anchor whose block is in the best chain. */
async function lastHolding(node: Node, store: AnchorStore): Promise<SignedAttempt | null> {
  for (const attempt of store.inChain(0).reverse()) {
    const { state, block } = attempt
    if (state !== 'final' || block === null || !isSigned(attempt)) continue
    if ((await node.blockHash(block.height)) === block.blockHash) return attempt
  }
  return null
}

async function followSeals(
  options: RecoverOptions,
  base: SignedAttempt | null,
  toHeight: number,
  payloads: readonly Uint8Array[],
): Promise<{ found: FoundAnchor[]; brokenBy: SealBreak | null }> {
  const { node, method } = options
  const internalKey = utils.pubSchnorr(options.secretKey)
  const found: FoundAnchor[] = []
  let seal = sealAfter({ firstSeal: { ...options.firstSeal, payload: null } }, base)
  let index = base === null ? 0 : base.index + 1
  let fromSize = base?.size ?? 0
  for (let height = base?.block?.height ?? options.fromHeight; height <= toHeight; height++) {
    const block = await node.blockAt(height)
    if (block === null) throw new RecoverError('tip_moved', `block ${height} left the best chain meanwhile`)
    // After a reorg several anchors may stand in one block.
    for (let raw = spenderIn(block, seal); raw !== null; raw = spenderIn(block, seal)) {
      const payload = identifyAnchor(raw, { method, internalKey, spends: seal, index }, payloads)
      if (payload === null) return { found, brokenBy: { txid: txidOf(raw), height } }
      const anchor = await readFoundAnchor(options, { raw, height, seal, payload, index, fromSize })
      found.push(anchor)
      seal = { txid: anchor.txid, vout: 0, valueSats: anchor.outputSats, payload }
      index++
      fromSize = anchor.size
    }
  }
  return { found, brokenBy: null }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
