import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Database } from 'better-sqlite3'
import type { PayoutOutput, PayoutRecord } from './payout-record.ts'
import type { TreasuryCoin } from './payout-transaction.ts'

/** What a payout is, once it is built. */
interface BuiltPayout {
  txid: string
  raw: Uint8Array
  vsize: number
  feeSats: bigint
  changeSats: bigint
  sinceHeight: number
  outputs: readonly PayoutOutput[]
}

/** A signed payout that may still move, as judging needs it. */
export interface OpenPayout {
  number: number
  state: 'prepared' | 'broadcast' | 'confirmed'
  txid: string
  raw: Uint8Array
  sinceHeight: number
  /** Where it was last seen. */
  block: { height: number; blockHash: string } | null
  changeVout: number
}

/** The payouts in SQLite. Each change is one transaction, durable when the function returns. */
export interface PayerStore {
  pin(id: string, totalSats: bigint, coins: readonly TreasuryCoin[]): void
  isPinned(coin: TreasuryCoin): boolean
  /** Keeps the final bytes of a pinned payout: before they may leave the process. */
  keepBuilt(id: string, built: BuiltPayout): void
  get(id: string): PayoutRecord | null
  all(): PayoutRecord[]
  /** Oldest first: a later one may spend an earlier one's change. */
  open(): OpenPayout[]
  markBroadcast(number: number): void
  markConfirmed(number: number, block: { height: number; blockHash: string }, settled: boolean): void
  markTrouble(number: number, trouble: string): void
}

interface PayoutRow {
  number: bigint
  id: string
  state: PayoutRecord['state']
  total_sats: bigint
  fee_sats: bigint | null
  change_sats: bigint | null
  vsize: bigint | null
  txid: string | null
  raw: Uint8Array | null
  since_height: bigint | null
  height: bigint | null
  block_hash: string | null
  trouble: string | null
}

const SCHEMA = readFileSync(new URL('./payer-schema.sql', import.meta.url), 'utf8')

/** `db` reads integers as bigint; it stays the caller's. */
export function openPayerStore(db: Database): PayerStore {
  db.exec(SCHEMA)
  const insertPayout = db.prepare<[string, bigint]>(
    "INSERT INTO payer_payout (id, state, total_sats) VALUES (?, 'pinned', ?)",
  )
  const insertInput = db.prepare<[number | bigint, number, string, number, bigint]>(
    'INSERT INTO payer_input (payout, position, txid, vout, value_sats) VALUES (?, ?, ?, ?, ?)',
  )
  const insertOutput = db.prepare<[bigint, number, string, bigint]>(
    'INSERT INTO payer_output (payout, position, address, value_sats) VALUES (?, ?, ?, ?)',
  )
  const setPrepared = db.prepare<[Omit<BuiltPayout, 'outputs'> & { number: bigint }]>(`
    UPDATE payer_payout SET state = 'prepared', txid = @txid, raw = @raw, vsize = @vsize, fee_sats = @feeSats,
      change_sats = @changeSats, since_height = @sinceHeight
    WHERE number = @number AND state = 'pinned'`)
  const setBroadcast = db.prepare<[number]>(
    "UPDATE payer_payout SET state = 'broadcast', trouble = NULL WHERE number = ? AND state IN ('prepared', 'broadcast', 'confirmed')",
  )
  const setConfirmed = db.prepare<[string, number, string, number]>(
    'UPDATE payer_payout SET state = ?, height = ?, block_hash = ?, trouble = NULL ' +
      "WHERE number = ? AND state IN ('prepared', 'broadcast', 'confirmed')",
  )
  const setTrouble = db.prepare<[string, number]>('UPDATE payer_payout SET trouble = ? WHERE number = ?')
  const byId = db.prepare<[string], PayoutRow>('SELECT * FROM payer_payout WHERE id = ?')
  const selectAll = db.prepare<[], PayoutRow>('SELECT * FROM payer_payout ORDER BY number')
  const selectOpen = db.prepare<[], PayoutRow>(
    "SELECT * FROM payer_payout WHERE state IN ('prepared', 'broadcast', 'confirmed') ORDER BY number",
  )
  const selectInputs = db.prepare<[bigint], { txid: string; vout: bigint; value_sats: bigint }>(
    'SELECT txid, vout, value_sats FROM payer_input WHERE payout = ? ORDER BY position',
  )
  const selectOutputs = db.prepare<[bigint], { address: string; value_sats: bigint }>(
    'SELECT address, value_sats FROM payer_output WHERE payout = ? ORDER BY position',
  )
  const countOutputs = db
    .prepare<[bigint], bigint>('SELECT count(*) FROM payer_output WHERE payout = ?')
    .pluck()
  const findInput = db.prepare<[string, number]>('SELECT 1 FROM payer_input WHERE txid = ? AND vout = ?')

  const pin = db.transaction((id: string, totalSats: bigint, coins: readonly TreasuryCoin[]) => {
    const { lastInsertRowid } = insertPayout.run(id, totalSats)
    for (const [position, { txid, vout, valueSats }] of coins.entries()) {
      insertInput.run(lastInsertRowid, position, txid, vout, valueSats)
    }
  })

  const keepBuilt = db.transaction((id: string, { outputs, ...built }: BuiltPayout) => {
    const number = byId.get(id)?.number
    assert(number !== undefined, `no payout ${id}`)
    assert.equal(setPrepared.run({ ...built, number }).changes, 1, `payout ${id} is prepared already`)
    for (const [position, { address, valueSats }] of outputs.entries()) {
      insertOutput.run(number, position, address, valueSats)
    }
  })

  function recordOf(row: PayoutRow): PayoutRecord {
    const { id, state, total_sats: totalSats, txid, trouble, number } = row
    const inputs = selectInputs
      .all(number)
      .map(({ txid, vout, value_sats: valueSats }) => ({ txid, vout: Number(vout), valueSats }))
    const outputs = selectOutputs
      .all(number)
      .map(({ address, value_sats: valueSats }) => ({ address, valueSats }))
    return {
      id,
      state,
      totalSats,
      inputs,
      outputs,
      changeSats: row.change_sats ?? 0n,
      feeSats: row.fee_sats ?? 0n,
      vsize: Number(row.vsize ?? 0n),
      txid,
      raw: row.raw,
      height: state === 'confirmed' || state === 'settled' ? Number(row.height) : null,
      trouble,
    }
  }

  function openOf(row: PayoutRow): OpenPayout {
    const { number, state, txid, raw, since_height: sinceHeight, height, block_hash: blockHash } = row
    assert(state !== 'pinned' && state !== 'settled' && txid !== null && raw !== null && sinceHeight !== null)
    return {
      number: Number(number),
      state,
      txid,
      raw,
      sinceHeight: Number(sinceHeight),
      block: height === null || blockHash === null ? null : { height: Number(height), blockHash },
      changeVout: Number(countOutputs.get(number)),
    }
  }

  return {
    pin: (id, totalSats, coins) => pin.immediate(id, totalSats, coins),
    isPinned: ({ txid, vout }) => findInput.get(txid, vout) !== undefined,
    keepBuilt: (id, built) => keepBuilt.immediate(id, built),
    get(id) {
      const row = byId.get(id)
      return row === undefined ? null : recordOf(row)
    },
    all: () => selectAll.all().map(recordOf),
    open: () => selectOpen.all().map(openOf),
    markBroadcast(number) {
      assert.equal(setBroadcast.run(number).changes, 1)
    },
    markConfirmed(number, { height, blockHash }, settled) {
      assert.equal(setConfirmed.run(settled ? 'settled' : 'confirmed', height, blockHash, number).changes, 1)
    },
    markTrouble: (number, trouble) => setTrouble.run(trouble, number),
  }
}
