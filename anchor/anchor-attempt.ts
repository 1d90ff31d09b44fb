import type { Seal, TopUp } from './anchor-transaction.ts'
import type { Inclusion } from './inclusion.ts'

type AttemptState = 'planned' | 'signed' | 'broadcast' | 'refused' | 'mined' | 'final'

/** What is decided before anything is signed. */
export interface AttemptPlan {
  /** The attempt whose seal it spends; null: the first seal. */
  parent: number | null
  index: number
  sinceHeight: number
  size: number
  root: Uint8Array
  payload: Uint8Array
  /** The coin that it spends beside the seal. */
  topUp: TopUp | null
  feeSats: bigint
  /** Value of the seal that it makes. */
  outputSats: bigint
  vsize: number
}

/** One transaction that was, or may become, the anchor at its index. */
export interface Attempt extends AttemptPlan {
  id: number
  state: AttemptState
  /** null until it is signed. */
  signed: { txid: string; raw: Uint8Array } | null
  /** The block in which it was last seen; of the best chain only when mined or final. */
  block: Inclusion | null
}

export interface SignedAttempt extends Attempt {
  signed: { txid: string; raw: Uint8Array }
}

export function isSigned(attempt: Attempt): attempt is SignedAttempt {
  return attempt.signed !== null
}

/** The seal that the attempt makes, for the next anchor to spend. */
export function sealOf({ signed, outputSats, payload }: SignedAttempt): Seal {
  return { txid: signed.txid, vout: 0, valueSats: outputSats, payload }
}

/** A row of anchor_attempt, read with safe integers. */
export interface AttemptRow {
  id: bigint
  parent: bigint | null
  anchor_index: bigint
  state: AttemptState
  since_height: bigint
  size: bigint
  root: Uint8Array
  payload: Uint8Array
  top_up_txid: string | null
  top_up_vout: bigint | null
  top_up_sats: bigint | null
  fee_sats: bigint
  output_sats: bigint
  vsize: bigint
  txid: string | null
  raw: Uint8Array | null
  height: bigint | null
  block_hash: string | null
  header: Uint8Array | null
  branch_position: bigint | null
  branch_siblings: Uint8Array | null
}

export function attemptOf(row: AttemptRow): Attempt {
  return {
    id: Number(row.id),
    parent: row.parent === null ? null : Number(row.parent),
    index: Number(row.anchor_index),
    state: row.state,
    sinceHeight: Number(row.since_height),
    size: Number(row.size),
    root: row.root,
    payload: row.payload,
    topUp: topUpOf(row),
    feeSats: row.fee_sats,
    outputSats: row.output_sats,
    vsize: Number(row.vsize),
    signed: row.txid === null || row.raw === null ? null : { txid: row.txid, raw: row.raw },
    block: inclusionOf(row),
  }
}

function topUpOf({ top_up_txid: txid, top_up_vout: vout, top_up_sats: valueSats }: AttemptRow): TopUp | null {
  return txid === null || vout === null || valueSats === null ? null : { txid, vout: Number(vout), valueSats }
}

function inclusionOf(row: AttemptRow): Inclusion | null {
  const { height, block_hash: blockHash, header, branch_position: position, branch_siblings: siblings } = row
  if (height === null || blockHash === null || header === null || position === null || siblings === null)
    return null
  const branch = { position: Number(position), siblings: hashesOf(siblings) }
  return { height: Number(height), blockHash, header, branch }
}

function hashesOf(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / 32 }, (_, i) => bytes.subarray(i * 32, (i + 1) * 32))
}
