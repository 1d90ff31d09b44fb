import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import {
  type Attempt,
  type AttemptPlan,
  type AttemptRow,
  attemptOf,
  isSigned,
  type SignedAttempt,
} from './anchor-attempt.ts'
import type { Inclusion } from './inclusion.ts'

/** Where the attempts that aren't final stand at one tip: the block of each that is in the best chain. */
interface Judgement {
  tipHeight: number
  inChain: ReadonlyMap<number, Inclusion>
  finalDepth: number
}

/** The attempts in SQLite. Each change is one transaction, durable when the function returns. */
export interface AnchorStore {
  plan(plan: AttemptPlan): Attempt
  /** Keeps the final bytes of a planned attempt: before they may leave the process. */
  keepBytes(id: number, signed: { txid: string; raw: Uint8Array }): SignedAttempt
  markBroadcast(id: number): void
  /** The node won't take it: an older sibling stands again, if there is one. */
  markRefused(id: number): void
  apply(judgement: Judgement): void
  get(id: number): Attempt
  lastFinal(): SignedAttempt | null
  /** The highest that is mined or final. */
  lastInChain(): SignedAttempt | null
  /** Signed and above the last final index, children before parents. */
  unsettled(): SignedAttempt[]
  /** All that compete for one seal. */
  siblings(parent: number | null): Attempt[]
  /** The attempts that stand, one index after the other, from that seal on. */
  standing(parent: number | null): Attempt[]
  /** Mined or final ones from one index up to another, which is left out. */
  inChain(fromIndex: number, endIndex?: number): Attempt[]
  /** Where they stand, without their bytes. */
  places(): AnchorPlace[]
  /** The first of them with a larger size. */
  firstAbove(size: number): SignedAttempt | null
  /** Fees of those mined above that height. */
  feesAbove(height: number): bigint
  /** Asks for an anchor that covers at least that size. */
  request(size: number): void
  requestedSize(): number
  /** Keeps who spent the last seal for good, so that anchor `index` can't be made. */
  breakSeal(by: { index: number; txid: string; height: number }): void
  brokenBy(): SealBreak | null
}

/** A mined or final one. */
export interface AnchorPlace {
  readonly index: number
  readonly state: 'mined' | 'final'
  readonly size: number
  readonly height: number
}

export interface SealBreak {
  /** The foreign transaction and its block. */
  txid: string
  height: number
}

const SCHEMA = readFileSync(new URL('./anchor-schema.sql', import.meta.url), 'utf8')
const IN_CHAIN = "state IN ('mined', 'final')"

/** `db` reads integers as bigint; it stays the caller's. */
export function openAnchorStore(db: Database): AnchorStore {
  db.exec(SCHEMA)
  const insert = db.prepare<[Record<string, unknown>]>(`
    INSERT INTO anchor_attempt (parent, anchor_index, state, turn, since_height, size, root, payload, top_up_txid,
      top_up_vout, top_up_sats, fee_sats, output_sats, vsize)
    VALUES (@parent, @index, 'planned', @turn, @sinceHeight, @size, @root, @payload, @topUpTxid, @topUpVout,
      @topUpSats, @feeSats, @outputSats, @vsize)`)
  const nextTurn = db.prepare<[], bigint>('SELECT coalesce(max(turn), 0) + 1 FROM anchor_attempt').pluck()
  const sign = db.prepare<[string, Uint8Array, number]>(
    "UPDATE anchor_attempt SET state = 'signed', txid = ?, raw = ? WHERE id = ? AND state = 'planned'",
  )
  const setSent = db.prepare<[string, bigint | null, number]>(
    "UPDATE anchor_attempt SET state = ?, turn = coalesce(?, turn) WHERE id = ? AND state IN ('signed', 'broadcast', 'refused')",
  )
  const setMined = db.prepare<[Record<string, unknown>]>(`
    UPDATE anchor_attempt SET state = 'mined', turn = @turn, height = @height, block_hash = @blockHash,
      header = @header, branch_position = @position, branch_siblings = @siblings
    WHERE id = @id AND state IN ('signed', 'broadcast', 'refused', 'mined')`)
  const setUnmined = db.prepare<[number, number]>(
    "UPDATE anchor_attempt SET state = 'broadcast', since_height = ? WHERE id = ? AND state = 'mined'",
  )
  const setFinal = db.prepare<[number]>(
    "UPDATE anchor_attempt SET state = 'final' WHERE state = 'mined' AND height <= ?",
  )
  const select = (rest: string) => db.prepare<unknown[], AttemptRow>(`SELECT * FROM anchor_attempt ${rest}`)
  const byId = select('WHERE id = ?')
  const lastFinal = select("WHERE state = 'final' ORDER BY anchor_index DESC LIMIT 1")
  const lastInChain = select(`WHERE ${IN_CHAIN} ORDER BY anchor_index DESC LIMIT 1`)
  const unsettled = select(`
    WHERE state NOT IN ('planned', 'final')
      AND anchor_index > coalesce((SELECT max(anchor_index) FROM anchor_attempt WHERE state = 'final'), -1)
    ORDER BY anchor_index DESC, turn DESC, id DESC`)
  const siblings = select('WHERE parent IS ? ORDER BY turn DESC, id DESC')
  const inChain = select(`WHERE ${IN_CHAIN} AND anchor_index >= ? AND anchor_index < ? ORDER BY anchor_index`)
  // Left alone, SQLite takes the index by state and sorts all that are larger.
  const firstAbove = select(
    `INDEXED BY anchor_attempt_by_size WHERE ${IN_CHAIN} AND size > ? ORDER BY size, anchor_index LIMIT 1`,
  )
  const places = db.prepare<[], { index: bigint; state: AnchorPlace['state']; size: bigint; height: bigint }>(
    `SELECT anchor_index AS "index", state, size, height FROM anchor_attempt WHERE ${IN_CHAIN} ORDER BY anchor_index`,
  )
  const feesAbove = db
    .prepare<[number], bigint>(
      `SELECT coalesce(sum(fee_sats), 0) FROM anchor_attempt WHERE ${IN_CHAIN} AND height > ?`,
    )
    .pluck()
  const request = db.prepare<[number]>(`
    INSERT INTO anchor_request (id, size) VALUES (1, ?)
    ON CONFLICT (id) DO UPDATE SET size = max(size, excluded.size)`)
  const breakSeal = db.prepare<[Record<string, unknown>]>(
    'INSERT INTO anchor_break (id, anchor_index, txid, height) VALUES (1, @index, @txid, @height)',
  )
  const brokenBy = db.prepare<[], { txid: string; height: bigint }>('SELECT txid, height FROM anchor_break')
  const requestedSize = db.prepare<[], bigint>('SELECT size FROM anchor_request').pluck()

  function turn(): bigint {
    const next = nextTurn.get()
    assert(next !== undefined)
    return next
  }

  function get(id: number): Attempt {
    const row = byId.get(id)
    assert(row !== undefined, `no anchor attempt ${id}`)
    return attemptOf(row)
  }

  function getSigned(row: AttemptRow): SignedAttempt {
    const attempt = attemptOf(row)
    assert(isSigned(attempt))
    return attempt
  }

  const apply = db.transaction(({ tipHeight, inChain: blocks, finalDepth }: Judgement) => {
    const judged = unsettled.all().map(getSigned)
    // Those that left the chain go first: two at one index are never in it at a time.
    for (const { id, state } of judged) {
      if (state === 'mined' && !blocks.has(id)) setUnmined.run(tipHeight, id)
    }
    for (const { id, state, block } of judged) {
      const seen = blocks.get(id)
      if (seen === undefined || (state === 'mined' && block?.blockHash === seen.blockHash)) continue
      const { branch, ...rest } = seen
      const { position, siblings: hashes } = branch
      setMined.run({ id, turn: turn(), ...rest, position, siblings: Buffer.concat(hashes) })
    }
    setFinal.run(tipHeight - finalDepth + 1)
  })

  return {
    plan({ topUp, ...plan }) {
      const { txid = null, vout = null, valueSats = null } = topUp ?? {}
      const coin = { topUpTxid: txid, topUpVout: vout, topUpSats: valueSats }
      return get(Number(insert.run({ ...plan, ...coin, turn: turn() }).lastInsertRowid))
    },

    keepBytes(id, { txid, raw }) {
      assert.equal(sign.run(txid, raw, id).changes, 1, `anchor attempt ${id} is signed already`)
      const attempt = get(id)
      assert(isSigned(attempt))
      return attempt
    },

    markBroadcast(id) {
      assert.equal(setSent.run('broadcast', null, id).changes, 1)
    },

    markRefused(id) {
      assert.equal(setSent.run('refused', 0n, id).changes, 1)
    },

    apply: (judgement) => apply.immediate(judgement),
    get,
    lastFinal: () => lastFinal.all().map(getSigned)[0] ?? null,
    lastInChain: () => lastInChain.all().map(getSigned)[0] ?? null,
    unsettled: () => unsettled.all().map(getSigned),
    siblings: (parent) => siblings.all(parent).map(attemptOf),

    standing(parent) {
      const path: Attempt[] = []
      for (let seal = parent; ; ) {
        const row = siblings.get(seal)
        if (row === undefined) return path
        const attempt = attemptOf(row)
        path.push(attempt)
        seal = attempt.id
      }
    },

    inChain: (fromIndex, endIndex = Number.MAX_SAFE_INTEGER) =>
      inChain.all(fromIndex, endIndex).map(attemptOf),
    places: () =>
      places.all().map(({ index, state, size, height }) => ({
        index: Number(index),
        state,
        size: Number(size),
        height: Number(height),
      })),
    firstAbove: (size) => firstAbove.all(size).map(getSigned)[0] ?? null,
    feesAbove: (height) => feesAbove.get(height) ?? 0n,
    request: (size) => request.run(size),
    requestedSize: () => Number(requestedSize.get() ?? 0n),
    breakSeal: (by) => breakSeal.run(by),

    brokenBy() {
      const row = brokenBy.get()
      return row === undefined ? null : { txid: row.txid, height: Number(row.height) }
    },
  }
}
