import assert from 'node:assert/strict'
import { utils } from '@scure/btc-signer'
import type { Database } from 'better-sqlite3'
import { type Attempt, isSigned, type SignedAttempt, sealOf } from './anchor-attempt.ts'
import { type AnchorRecord, anchorRecordOf } from './anchor-record.ts'
import { AnchorStall, type StallCode } from './anchor-stall.ts'
import { openAnchorStore } from './anchor-store.ts'
import { anchorVsize, type Method, type Outpoint, type Seal } from './anchor-transaction.ts'
import { checkSeal } from './check-seal.ts'
import { encodePayload } from './commitment.ts'
import { deliverAnchor } from './deliver-anchor.ts'
import { P2TR_DUST_SATS } from './dust.ts'
import type { FeeMarket } from './fee.ts'
import { coalesced } from './in-turn.ts'
import { judgeAnchors } from './judge-anchors.ts'
import type { ChainTip, Node } from './node.ts'
import { type AnchorPolicy, BLOCKS_PER_DAY, priceAnchor } from './price-anchor.ts'
import { signAnchor } from './sign-anchor.ts'

export interface AnchorerOptions {
  /** Reads integers as bigint, commits with full sync. Stays the caller's. */
  db: Database
  node: Node
  method: Method
  /** The log's name. */
  origin: string
  /** 32 bytes; the internal key of every seal. */
  secretKey: Uint8Array
  /** A BIP-86 output of that key, named in genesis. */
  firstSeal: Outpoint & { valueSats: bigint }
  payloadFile: string
  policy: AnchorPolicy
  /** The log's head: of committed entries alone. */
  head: () => { size: number; root: Uint8Array }
}

export interface AnchorerState {
  /** null before the first advance. */
  tipHeight: number | null
  /** The anchor that waits to be mined. */
  inFlight: AnchorRecord | null
  stalled: { code: StallCode; detail: string; neededSats: bigint | null } | null
  /** What the last seal in the chain holds. */
  sealSats: bigint
  /** Blocks until the seal is used up at the latest anchor's fee and the policy's cadence; null before the first. */
  runwayBlocks: number | null
  /** Of the anchors mined in the last 144 blocks. */
  feesTodaySats: bigint
}

export interface Anchorer {
  /** Everything that is in the log now is anchored at the next advance, whatever the cadence. Kept over a restart. */
  request(): void
  /**
   * Judges every anchor that isn't final at the node's present tip, and takes the next step: sends again, replaces,
   * or begins the next anchor. Idempotent. What is in the way and may pass is in state(). Throws RpcError, NodeError.
   */
  advance(): Promise<void>
  /** In order of index, one for each. */
  anchors(fromIndex?: number): AnchorRecord[]
  state(): AnchorerState
}

export function openAnchorer(options: AnchorerOptions): Anchorer {
  const { db, node, method, origin, secretKey, payloadFile, policy, head } = options
  const store = openAnchorStore(db)
  const internalKey = utils.pubSchnorr(secretKey)
  const firstSeal: Seal = { ...options.firstSeal, payload: null }
  const signer = { method, secretKey, internalKey, payloadFile }
  const vsize = anchorVsize(method, false)
  let stall: AnchorStall | null = null
  let tip: ChainTip | null = null

  async function judgeAndAct(): Promise<void> {
    stall = null
    try {
      tip = await judgeAnchors(node, store, policy.finalDepth)
      await act(tip)
    } catch (error) {
      // A stall is a state to be shown, and is judged again at the next tip; anything else is the caller's.
      if (!(error instanceof AnchorStall)) throw error
      stall = error
    }
  }

  async function act(at: ChainTip): Promise<void> {
    const last = store.lastInChain()
    await checkSeal(node, sealAfter(last), internalKey, txidsOf(store.siblings(last?.id ?? null)))
    const market = await node.feeMarket(policy.targetBlocks)
    const { pending, refusal } = await deliverPending(last)
    const current = pending.at(-1)
    if (current === undefined) {
      if (isDue(last, at)) await begin(last, market, at)
    } else if (at.height > current.sinceHeight) {
      await replace(pending, current, market, at)
    } else if (refusal !== null) {
      throw new AnchorStall('refused', refusal)
    }
  }

  /** Signs what was left planned and sends what the node lost, in order, up to the first that it refuses. */
  async function deliverPending(
    last: SignedAttempt | null,
  ): Promise<{ pending: SignedAttempt[]; refusal: string | null }> {
    const pending: SignedAttempt[] = []
    let parent = last
    for (const attempt of store.standing(last?.id ?? null)) {
      const signed = signAnchor(store, signer, sealAfter(parent), attempt)
      pending.push(signed)
      const refusal = await deliverAnchor(node, store, signed)
      if (refusal !== null) return { pending, refusal }
      parent = signed
    }
    return { pending, refusal: null }
  }

  function isDue(last: SignedAttempt | null, at: ChainTip): boolean {
    const anchoredSize = last?.size ?? 0
    if (head().size <= anchoredSize) return false
    if (last?.block == null || store.requestedSize() > anchoredSize) return true
    return at.height >= last.block.height + policy.everyBlocks
  }

  async function begin(last: SignedAttempt | null, market: FeeMarket, at: ChainTip): Promise<void> {
    await attemptAnchor(last, market, at, store.feesAbove(at.height - BLOCKS_PER_DAY), null)
  }

  /**
   * The newest checkpoint takes the place of an anchor that missed its block. Only ever the last one: what it
   * evicts is then that one alone.
   */
  async function replace(
    pending: readonly SignedAttempt[],
    current: SignedAttempt,
    market: FeeMarket,
    at: ChainTip,
  ): Promise<void> {
    const others = pending.filter(({ id }) => id !== current.id)
    const mined = store.feesAbove(at.height - BLOCKS_PER_DAY)
    const spentSats = others.reduce((sum, { feeSats }) => sum + feeSats, mined)
    const parent = current.parent === null ? null : store.get(current.parent)
    assert(parent === null || isSigned(parent))
    await attemptAnchor(parent, market, at, spentSats, await evicted(current.parent))
  }

  /** The one of those that compete for a seal which the mempool holds. */
  async function evicted(parent: number | null): Promise<{ feeSats: bigint; vsize: number } | null> {
    for (const txid of txidsOf(store.siblings(parent))) {
      const entry = await node.mempoolEntry(txid)
      if (entry !== null) return { feeSats: entry.descendantFeeSats, vsize: entry.vsize }
    }
    return null
  }

  async function attemptAnchor(
    parent: SignedAttempt | null,
    market: FeeMarket,
    at: ChainTip,
    spentSats: bigint,
    replaces: { feeSats: bigint; vsize: number } | null,
  ): Promise<void> {
    const feeSats = priceAnchor({ market, policy, vsize, spentSats, replaces })
    const seal = sealAfter(parent)
    const outputSats = seal.valueSats - feeSats
    if (outputSats < P2TR_DUST_SATS) {
      throw new AnchorStall(
        'seal_too_small',
        `${seal.valueSats} sat are left, the fee is ${feeSats} sat`,
        feeSats,
      )
    }
    const index = parent === null ? 0 : parent.index + 1
    const { size, root } = head()
    const payload = encodePayload({ index, origin, size, root })
    const id = parent?.id ?? null
    const plan = {
      parent: id,
      index,
      sinceHeight: at.height,
      size,
      root,
      payload,
      feeSats,
      outputSats,
      vsize,
    }
    const signed = signAnchor(store, signer, seal, store.plan(plan))
    const refusal = await deliverAnchor(node, store, signed)
    if (refusal !== null) throw new AnchorStall('refused', refusal)
  }

  function sealAfter(last: SignedAttempt | null): Seal {
    return last === null ? firstSeal : sealOf(last)
  }

  return {
    request: () => store.request(head().size),

    advance: coalesced(judgeAndAct),

    anchors(fromIndex = 0) {
      const pending = store.standing(store.lastInChain()?.id ?? null)
      return [
        ...store.inChain(fromIndex).map((attempt) => anchorRecordOf(attempt, false)),
        ...pending
          .filter(({ index }) => index >= fromIndex)
          .map((attempt) => anchorRecordOf(attempt, stall !== null)),
      ]
    },

    state() {
      const last = store.lastInChain()
      const pending = store.standing(last?.id ?? null).at(-1)
      const { valueSats: sealSats } = sealAfter(last)
      return {
        tipHeight: tip?.height ?? null,
        inFlight: pending === undefined ? null : anchorRecordOf(pending, stall !== null),
        stalled: stall && { code: stall.code, detail: stall.message, neededSats: stall.neededSats },
        sealSats,
        runwayBlocks: runwayBlocks(sealSats, (pending ?? last)?.feeSats ?? null, policy.everyBlocks),
        feesTodaySats: tip === null ? 0n : store.feesAbove(tip.height - BLOCKS_PER_DAY),
      }
    },
  }
}

function txidsOf(attempts: readonly Attempt[]): string[] {
  return attempts.filter(isSigned).map(({ signed }) => signed.txid)
}

function runwayBlocks(sealSats: bigint, feeSats: bigint | null, everyBlocks: number): number | null {
  if (feeSats === null || feeSats === 0n) return null
  const anchors = sealSats > P2TR_DUST_SATS ? (sealSats - P2TR_DUST_SATS) / feeSats : 0n
  return Number(anchors) * everyBlocks
}
