import { type Attempt, isSigned } from './anchor-attempt.ts'
import type { Branch } from './merkle-branch.ts'

/** An anchor as others read it; the attempt that stands at its index. */
export interface AnchorRecord {
  index: number
  state: 'planned' | 'signed' | 'broadcast' | 'mined' | 'final' | 'stalled'
  /** The checkpoint that it commits to. */
  size: number
  root: Uint8Array
  payload: Uint8Array
  /** null until signed; hex as bitcoind shows it. */
  txid: string | null
  /** Full bytes, witnesses included; null until signed. */
  raw: Uint8Array | null
  vsize: number
  /** What a coin beside the seal brought in; 0 without one. */
  topUpSats: bigint
  feeSats: bigint
  /** These four are null until mined, and again after a reorg. */
  height: number | null
  blockHash: string | null
  header: Uint8Array | null
  branch: Branch | null
}

/** `stalled`: whether this anchor is in flight and can't go forward. */
export function anchorRecordOf(attempt: Attempt, stalled: boolean): AnchorRecord {
  const { index, state, size, root, payload, vsize, topUp, feeSats } = attempt
  const block = state === 'mined' || state === 'final' ? attempt.block : null
  const { txid, raw } = isSigned(attempt) ? attempt.signed : { txid: null, raw: null }
  return {
    index,
    state: stalled || state === 'refused' ? 'stalled' : state,
    size,
    root,
    payload,
    txid,
    raw,
    vsize,
    topUpSats: topUp?.valueSats ?? 0n,
    feeSats,
    height: block?.height ?? null,
    blockHash: block?.blockHash ?? null,
    header: block?.header ?? null,
    branch: block?.branch ?? null,
  }
}
