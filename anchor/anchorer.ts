import { utils } from '@scure/btc-signer'
import type { Database } from 'better-sqlite3'
import { type AnchorRecord, anchorRecordOf } from './anchor-record.ts'
import { AnchorStall, type StallCode } from './anchor-stall.ts'
import { type AnchorPlace, openAnchorStore, type SealBreak } from './anchor-store.ts'
import type { Method, Outpoint, TopUp } from './anchor-transaction.ts'
import { type AnchorWorks, feesOfDay, sealAfter } from './anchor-works.ts'
import { coalesced } from './in-turn.ts'
import { judgeAnchors } from './judge-anchors.ts'
import type { ChainTip, Node } from './node.ts'
import type { AnchorPolicy } from './price-anchor.ts'
import { runwayBlocks } from './runway.ts'
import { stepAnchors } from './step-anchors.ts'

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
  /** Coins of that key's BIP-86 address, which refill the seal; each is looked up in the node. None without. */
  topUps?: () => Promise<readonly TopUp[]>
}

interface Judgement {
  /** Why nothing goes forward, and what can be done. */
  stalled: { code: StallCode; detail: string; advice: string; neededSats: bigint | null } | null
  /** This database may not know the newest truth about the chain, after a deep reorg say: nothing may be paid. */
  inDoubt: boolean
}

interface AnchorerState extends Judgement {
  /** null before the first advance. */
  tipHeight: number | null
  /** The anchor that waits to be mined. */
  inFlight: AnchorRecord | null
  /** A foreign transaction ended the chain of seals, for good. */
  broken: SealBreak | null
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
  /** In order of index, one for each, below `endIndex`. */
  anchors(fromIndex?: number, endIndex?: number): AnchorRecord[]
  /** How many those are. */
  count(): number
  /** Of all that are in the chain: few enough bytes to be read whole. */
  places(): AnchorPlace[]
  /** The first in the chain whose checkpoint covers the entry, or null. */
  firstOver(entryIndex: number): AnchorRecord | null
  state(): AnchorerState
  /** The last advance's, from memory: cheap enough to be asked before everything that is written. */
  judgement(): Judgement
}

export function openAnchorer(options: AnchorerOptions): Anchorer {
  const { db, node, method, origin, secretKey, payloadFile, policy, head, topUps = async () => [] } = options
  const store = openAnchorStore(db)
  const signer = { method, secretKey, internalKey: utils.pubSchnorr(secretKey), payloadFile }
  const firstSeal = { ...options.firstSeal, payload: null }
  const works: AnchorWorks = { node, store, signer, origin, firstSeal, policy, head, topUps }
  let stall: AnchorStall | null = null
  let tip: ChainTip | null = null

  async function judgeAndStep(): Promise<void> {
    let judged = tip
    try {
      judged = await judgeAnchors(node, store, policy.finalDepth)
      await stepAnchors(works, judged)
      stall = null
    } catch (error) {
      // A stall is a state to be shown, and is judged again at the next tip; anything else is the caller's.
      if (!(error instanceof AnchorStall)) throw error
      stall = error
    }
    // Where the node broke off, the seal may not have been looked at.
    tip = judged
  }

  function judgement(): Judgement {
    return { stalled: stall && stalledOf(stall), inDoubt: tip === null || stall?.inDoubt === true }
  }

  function pending(): AnchorRecord[] {
    const standing = store.standing(store.lastInChain()?.id ?? null)
    return standing.map((attempt) => anchorRecordOf(attempt, stall !== null))
  }

  return {
    request: () => store.request(head().size),

    advance: coalesced(judgeAndStep),

    anchors(fromIndex = 0, endIndex = Number.MAX_SAFE_INTEGER) {
      const inChain = store.inChain(fromIndex, endIndex).map((attempt) => anchorRecordOf(attempt, false))
      return [...inChain, ...pending().filter(({ index }) => index >= fromIndex && index < endIndex)]
    },

    count: () => ((pending().at(-1) ?? store.lastInChain())?.index ?? -1) + 1,

    places: store.places,

    firstOver(entryIndex) {
      const first = store.firstAbove(entryIndex)
      return first && anchorRecordOf(first, false)
    },

    state() {
      const last = store.lastInChain()
      const inFlight = pending().at(-1) ?? null
      const { valueSats: sealSats } = sealAfter(works, last)
      const feeSats = (inFlight ?? last)?.feeSats ?? 0n
      return {
        tipHeight: tip?.height ?? null,
        inFlight,
        ...judgement(),
        broken: store.brokenBy(),
        sealSats,
        runwayBlocks: runwayBlocks(sealSats, feeSats, policy.everyBlocks),
        feesTodaySats: tip === null ? 0n : feesOfDay(store, tip),
      }
    },

    judgement,
  }
}

function stalledOf({ code, message, advice, neededSats }: AnchorStall): AnchorerState['stalled'] {
  return { code, detail: message, advice, neededSats }
}
