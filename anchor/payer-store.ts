import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import type { Outpoint } from './anchor-transaction.ts'
import type { PayoutAttempt, PayoutOutput, PayoutRecord, PayoutState } from './payout-record.ts'
import type { TreasuryCoin } from './payout-transaction.ts'

export type NewAttempt = Omit<PayoutAttempt, 'number' | 'block'>

/** The payouts in SQLite. Each change is one transaction, durable when the function returns. */
export interface PayerStore {
  /** `alongside` runs in the same transaction: it takes the pin down with it when it throws. */
  pin(id: string, totalSats: bigint, coins: readonly TreasuryCoin[], alongside: () => void): void
  isPinned(coin: Outpoint): boolean
  /** Keeps whom a pinned payout pays, and its first attempt: before its bytes may leave the process. */
  keepFirst(id: string, outputs: readonly PayoutOutput[], attempt: NewAttempt): void
  /** Keeps one more attempt; one of the same txid is the same one, and is returned as it was kept. */
  keepAttempt(id: string, attempt: NewAttempt): PayoutAttempt
  /** The final bytes of an attempt that waited for them until `height`. */
  keepSigned(attempt: number, raw: Uint8Array, height: number): void
  get(id: string): PayoutRecord | null
  all(): PayoutRecord[]
  /** Those with attempts that may still move, oldest first: a later one may spend an earlier one's change. */
  open(): PayoutRecord[]
  markSeen(attempt: number, block: { height: number; blockHash: string }): void
  /** Where the payout stands now, and by which of its attempts. */
  mark(id: string, state: PayoutState, standing: { payment: number; child: number | null }): void
  markTrouble(id: string, trouble: string | null): void
  /** For good, and frees those of its coins; `alongside` runs in the same transaction. */
  markVoided<T>(id: string, freed: readonly Outpoint[], alongside: () => T): T
  stop(stop: Stop): void
  resume(): void
  stopped(): Stop | null
}

/** The kill switch, while it is on. */
export interface Stop {
  reason: string
  sinceMs: number
}

interface PayoutRow {
  number: bigint
  id: string
  state: PayoutState
  total_sats: bigint
  payment: bigint | null
  child: bigint | null
  trouble: string | null
}

interface InputRow {
  txid: string
  vout: bigint
  value_sats: bigint
  key_index: bigint
}

interface AttemptRow {
  number: bigint
  parent: bigint | null
  txid: string
  vsize: bigint
  fee_sats: bigint
  change_sats: bigint
  since_height: bigint
  raw: Uint8Array | null
  height: bigint | null
  block_hash: string | null
}

const SCHEMA = readFileSync(new URL('./payer-schema.sql', import.meta.url), 'utf8')

/** `db` reads integers as bigint; it stays the caller's. */
export function openPayerStore(db: Database): PayerStore {
  db.exec(SCHEMA)
  const insertPayout = db.prepare<[string, bigint]>(
    "INSERT INTO payer_payout (id, state, total_sats) VALUES (?, 'pinned', ?)",
  )
  const insertInput = db.prepare<[number | bigint, number, string, number, bigint, number]>(
    'INSERT INTO payer_input (payout, position, txid, vout, value_sats, key_index) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const insertOutput = db.prepare<[bigint, number, string, bigint]>(
    'INSERT INTO payer_output (payout, position, address, value_sats) VALUES (?, ?, ?, ?)',
  )
  const insertAttempt = db.prepare<[NewAttempt & { payout: bigint }]>(
    `INSERT INTO payer_attempt (payout, parent, txid, vsize, fee_sats, change_sats, since_height, raw)
     VALUES (@payout, @parent, @txid, @vsize, @feeSats, @changeSats, @sinceHeight, @raw)
     ON CONFLICT (txid) DO NOTHING`,
  )
  const setPrepared = db.prepare<[bigint]>(
    "UPDATE payer_payout SET state = 'prepared' WHERE number = ? AND state = 'pinned'",
  )
  const setRaw = db.prepare<[Uint8Array, number, number]>(
    'UPDATE payer_attempt SET raw = ?, since_height = ? WHERE number = ? AND raw IS NULL',
  )
  const setSeen = db.prepare<[number, string, number]>(
    'UPDATE payer_attempt SET height = ?, block_hash = ? WHERE number = ?',
  )
  const setState = db.prepare<[PayoutState, number, number | null, string]>(
    `UPDATE payer_payout SET state = ?, payment = ?, child = ?, trouble = NULL
      WHERE id = ? AND state NOT IN ('pinned', 'settled', 'voided')`,
  )
  const setVoided = db.prepare<[bigint]>(
    `UPDATE payer_payout SET state = 'voided', payment = NULL, child = NULL, trouble = NULL
      WHERE number = ? AND state NOT IN ('settled', 'voided')`,
  )
  const freeInput = db.prepare<[string, number]>('DELETE FROM payer_input WHERE txid = ? AND vout = ?')
  const setTrouble = db.prepare<[string | null, string]>('UPDATE payer_payout SET trouble = ? WHERE id = ?')
  const byId = db.prepare<[string], PayoutRow>('SELECT * FROM payer_payout WHERE id = ?')
  const selectAll = db.prepare<[], PayoutRow>('SELECT * FROM payer_payout ORDER BY number')
  const selectOpen = db.prepare<[], PayoutRow>(
    "SELECT * FROM payer_payout WHERE state IN ('prepared', 'broadcast', 'confirmed') ORDER BY number",
  )
  const selectInputs = db.prepare<[bigint], InputRow>(
    'SELECT txid, vout, value_sats, key_index FROM payer_input WHERE payout = ? ORDER BY position',
  )
  const selectOutputs = db.prepare<[bigint], { address: string; value_sats: bigint }>(
    'SELECT address, value_sats FROM payer_output WHERE payout = ? ORDER BY position',
  )
  const selectAttempts = db.prepare<[bigint], AttemptRow>(
    'SELECT * FROM payer_attempt WHERE payout = ? ORDER BY number',
  )
  const attemptByTxid = db.prepare<[string], AttemptRow>('SELECT * FROM payer_attempt WHERE txid = ?')
  const findInput = db.prepare<[string, number]>('SELECT 1 FROM payer_input WHERE txid = ? AND vout = ?')

  const insertStop = db.prepare<[Stop]>(
    'INSERT INTO payer_stop (id, reason, since_ms) VALUES (1, @reason, @sinceMs) ON CONFLICT (id) DO NOTHING',
  )
  const deleteStop = db.prepare('DELETE FROM payer_stop')
  const selectStop = db.prepare<[], { reason: string; since_ms: bigint }>('SELECT * FROM payer_stop')

  const pin = db.transaction(
    (id: string, totalSats: bigint, coins: readonly TreasuryCoin[], alongside: () => void) => {
      const { lastInsertRowid } = insertPayout.run(id, totalSats)
      for (const [position, { txid, vout, valueSats, keyIndex }] of coins.entries()) {
        insertInput.run(lastInsertRowid, position, txid, vout, valueSats, keyIndex)
      }
      alongside()
    },
  )

  const keepFirst = db.transaction(
    (id: string, outputs: readonly PayoutOutput[], attempt: NewAttempt): void => {
      const payout = numberOf(id)
      assert.equal(setPrepared.run(payout).changes, 1, `payout ${id} is prepared already`)
      for (const [position, { address, valueSats }] of outputs.entries()) {
        insertOutput.run(payout, position, address, valueSats)
      }
      insertAttempt.run({ ...attempt, payout })
    },
  )

  function numberOf(id: string): bigint {
    const number = byId.get(id)?.number
    assert(number !== undefined, `no payout ${id}`)
    return number
  }

  function recordOf(row: PayoutRow): PayoutRecord {
    const { id, state, total_sats: totalSats, trouble, number } = row
    const attempts = selectAttempts.all(number).map(attemptOf)
    const find = (wanted: bigint | null) => attempts.find((one) => BigInt(one.number) === wanted) ?? null
    const newest = state === 'voided' ? undefined : attempts.findLast(({ parent }) => parent === null)
    const payment = find(row.payment) ?? newest ?? null
    const child = find(row.child)
    const isMined = state === 'confirmed' || state === 'settled'
    return {
      id,
      state,
      totalSats,
      inputs: selectInputs.all(number).map(({ txid, vout, value_sats: valueSats, key_index }) => ({
        txid,
        vout: Number(vout),
        valueSats,
        keyIndex: Number(key_index),
      })),
      outputs: selectOutputs
        .all(number)
        .map(({ address, value_sats: valueSats }) => ({ address, valueSats })),
      attempts,
      payment,
      child,
      feeSats: (payment?.feeSats ?? 0n) + (child?.feeSats ?? 0n),
      height: isMined ? (payment?.block?.height ?? null) : null,
      trouble,
    }
  }

  return {
    pin: (id, totalSats, coins, alongside) => pin.immediate(id, totalSats, coins, alongside),
    isPinned: ({ txid, vout }) => findInput.get(txid, vout) !== undefined,
    keepFirst: (id, outputs, attempt) => keepFirst.immediate(id, outputs, attempt),
    keepAttempt(id, attempt) {
      insertAttempt.run({ ...attempt, payout: numberOf(id) })
      const row = attemptByTxid.get(attempt.txid)
      assert(row !== undefined, 'an attempt was kept')
      return attemptOf(row)
    },
    keepSigned(attempt, raw, height) {
      assert.equal(setRaw.run(raw, height, attempt).changes, 1, `attempt ${attempt} is signed already`)
    },
    get(id) {
      const row = byId.get(id)
      return row === undefined ? null : recordOf(row)
    },
    all: () => selectAll.all().map(recordOf),
    open: () => selectOpen.all().map(recordOf),
    markSeen(attempt, { height, blockHash }) {
      assert.equal(setSeen.run(height, blockHash, attempt).changes, 1)
    },
    mark(id, state, { payment, child }) {
      assert.equal(setState.run(state, payment, child, id).changes, 1)
    },
    markTrouble: (id, trouble) => setTrouble.run(trouble, id),
    markVoided: (id, freed, alongside) =>
      db
        .transaction(() => {
          const payout = numberOf(id)
          assert.equal(setVoided.run(payout).changes, 1, `payout ${id} is settled or voided already`)
          for (const { txid, vout } of freed) freeInput.run(txid, vout)
          return alongside()
        })
        .immediate(),
    stop: (stop) => insertStop.run(stop),
    resume: () => deleteStop.run(),
    stopped() {
      const row = selectStop.get()
      return row === undefined ? null : { reason: row.reason, sinceMs: Number(row.since_ms) }
    },
  }
}

function attemptOf(row: AttemptRow): PayoutAttempt {
  const { txid, raw, height, block_hash: blockHash } = row
  return {
    number: Number(row.number),
    parent: row.parent === null ? null : Number(row.parent),
    txid,
    vsize: Number(row.vsize),
    feeSats: row.fee_sats,
    changeSats: row.change_sats,
    sinceHeight: Number(row.since_height),
    raw,
    block: height === null || blockHash === null ? null : { height: Number(height), blockHash },
  }
}
