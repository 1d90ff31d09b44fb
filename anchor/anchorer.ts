import { utils } from '@scure/btc-signer'
import type { Database } from 'better-sqlite3'
import { type AnchorRecord, anchorRecordOf } from './anchor-record.ts'
import { AnchorStall, type StallCode } from './anchor-stall.ts'
import { openAnchorStore } from './anchor-store.ts'
import type { Method, Outpoint } from './anchor-transaction.ts'
import { P2TR_DUST_SATS } from './dust.ts'
import { coalesced } from './in-turn.ts'
import { judgeAnchors } from './judge-anchors.ts'
import type { ChainTip, Node } from './node.ts'
import type { AnchorPolicy } from './price-anchor.ts'
import { type AnchorWorks, feesOfDay, sealAfter, stepAnchors } from './step-anchors.ts'

interface AnchorerOptions {
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

interface AnchorerState {
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
  const signer = { method, secretKey, internalKey: utils.pubSchnorr(secretKey), payloadFile }
  const firstSeal = { ...options.firstSeal, payload: null }
  const works: AnchorWorks = { node, store, signer, origin, firstSeal, policy, head }
  let stall: AnchorStall | null = null
  let tip: ChainTip | null = null

  async function judgeAndStep(): Promise<void> {
    try {
      tip = await judgeAnchors(node, store, policy.finalDepth)
      await stepAnchors(works, tip)
      stall = null
    } catch (error) {
      // A stall is a state to be shown, and is judged again at the next tip; anything else is the caller's.
      if (!(error instanceof AnchorStall)) throw error
      stall = error
    }
  }

  function pending(): AnchorRecord[] {
    const standing = store.standing(store.lastInChain()?.id ?? null)
    return standing.map((attempt) => anchorRecordOf(attempt, stall !== null))
  }

  return {
    request: () => store.request(head().size),

    advance: coalesced(judgeAndStep),

    anchors(fromIndex = 0) {
      const inChain = store.inChain(fromIndex).map((attempt) => anchorRecordOf(attempt, false))
      return [...inChain, ...pending().filter(({ index }) => index >= fromIndex)]
    },

    state() {
      const last = store.lastInChain()
      const inFlight = pending().at(-1) ?? null
      const { valueSats: sealSats } = sealAfter(works, last)
      return {
        tipHeight: tip?.height ?? null,
        inFlight,
        stalled: stall && { code: stall.code, detail: stall.message, neededSats: stall.neededSats },
        sealSats,
        runwayBlocks: runwayBlocks(sealSats, (inFlight ?? last)?.feeSats ?? null, policy.everyBlocks),
        feesTodaySats: tip === null ? 0n : feesOfDay(store, tip),
      }
    },
  }
}

function runwayBlocks(sealSats: bigint, feeSats: bigint | null, everyBlocks: number): number | null {
  if (feeSats === null || feeSats === 0n) return null
  const anchors = sealSats > P2TR_DUST_SATS ? (sealSats - P2TR_DUST_SATS) / feeSats : 0n
  return Number(anchors) * everyBlocks
}
