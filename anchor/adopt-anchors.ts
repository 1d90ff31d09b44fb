import type { Database } from 'better-sqlite3'
import type { TopUp } from './anchor-transaction.ts'
import type { Inclusion } from './inclusion.ts'

/** An anchor as the chain has it. */
export interface FoundAnchor {
  index: number
  size: number
  root: Uint8Array
  payload: Uint8Array
  topUp: TopUp | null
  feeSats: bigint
  outputSats: bigint
  vsize: number
  txid: string
  raw: Uint8Array
  block: Inclusion
}

interface Adoption {
  /** The last final attempt that still holds; null: none. */
  base: { id: number; index: number } | null
  /** From the one after `base` on. */
  found: readonly FoundAnchor[]
  tipHeight: number
  finalDepth: number
}

/** Makes the chain's anchors the database's, in one transaction: those above `base` that it knew otherwise wait again. */
export function adoptAnchors(db: Database, { base, found, tipHeight, finalDepth }: Adoption): void {
  const rewind = db.prepare<[number, number]>(
    "UPDATE anchor_attempt SET state = 'broadcast', since_height = ? WHERE state IN ('mined', 'final') AND anchor_index > ?",
  )
  const mend = db.prepare('DELETE FROM anchor_break')
  const adopt = db.prepare<[Record<string, unknown>], bigint>(`
    INSERT INTO anchor_attempt (parent, anchor_index, state, turn, since_height, size, root, payload, top_up_txid,
      top_up_vout, top_up_sats, fee_sats, output_sats, vsize, txid, raw, height, block_hash, header, branch_position,
      branch_siblings)
    VALUES (@parent, @index, @state, (SELECT coalesce(max(turn), 0) + 1 FROM anchor_attempt), @height, @size, @root,
      @payload, @topUpTxid, @topUpVout, @topUpSats, @feeSats, @outputSats, @vsize, @txid, @raw, @height, @blockHash,
      @header, @position, @siblings)
    ON CONFLICT (txid) DO UPDATE SET state = excluded.state, turn = excluded.turn, height = excluded.height,
      block_hash = excluded.block_hash, header = excluded.header, branch_position = excluded.branch_position,
      branch_siblings = excluded.branch_siblings
    RETURNING id`)

  db.transaction(() => {
    rewind.run(tipHeight, base?.index ?? -1)
    mend.run()
    let parent = base?.id ?? null
    for (const { topUp, block, ...anchor } of found) {
      const { height, blockHash, header, branch } = block
      const row = adopt.pluck().get({
        ...anchor,
        parent,
        state: height <= tipHeight - finalDepth + 1 ? 'final' : 'mined',
        topUpTxid: topUp?.txid ?? null,
        topUpVout: topUp?.vout ?? null,
        topUpSats: topUp?.valueSats ?? null,
        height,
        blockHash,
        header,
        position: branch.position,
        siblings: Buffer.concat(branch.siblings),
      })
      parent = Number(row)
    }
  }).immediate()
}
