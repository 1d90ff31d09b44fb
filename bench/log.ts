/** The log: appends, signed heads, inclusion proofs. */
import { hash, randomBytes, sign } from 'node:crypto'
import type Database from 'better-sqlite3'
import { type LogStore, openLog } from '../src/log/log-store.ts'
import { noteSigner } from '../src/log/note-signer.ts'
import { checkRecord, leafHash } from '../src/log/rfc6962.ts'
import { medianSeconds, sideBySide } from './measure.ts'
import { type Row, rowOf } from './row.ts'
import { openScratchDatabase } from './scratch-database.ts'

const ORIGIN = 'bench.assay.example/log'
const SEED = new Uint8Array(32).fill(1)
/** A submission's entry. */
const ENTRY_BYTES = 308
/** Appends of one round, by how many share a transaction. */
const PLANS = [
  { perTransaction: 1, appends: 500 },
  { perTransaction: 1_000, appends: 20_000 },
] as const
const CHECKPOINTS = 2_000
const PROOFS = 5_000
/** Of each result, before it is timed. */
const CHECKED = 200

export async function* rows(): AsyncGenerator<Row> {
  using ours = openScratchDatabase()
  using bare = openScratchDatabase()
  const log = openLog({ db: ours.db, origin: ORIGIN, seed: SEED })
  bare.db.exec('CREATE TABLE bare (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT')
  const insert = bare.db.prepare<[Uint8Array]>('INSERT INTO bare (bytes) VALUES (?)')
  for (const { perTransaction, appends } of PLANS) {
    const entries = Array.from({ length: appends }, () => randomBytes(ENTRY_BYTES))
    const append = inTransactions(ours.db, perTransaction, entries, (entry) => log.append(entry))
    append() // what is timed is first seen to be right
    assertLast(log, entries)
    const { oursSeconds, baselineSeconds } = await sideBySide(
      append,
      inTransactions(bare.db, perTransaction, entries, (entry) => insert.run(entry)),
    )
    yield rowOf({
      name: `log appends, ${perTransaction} to a transaction, beside a bare INSERT`,
      value: appends / oursSeconds,
      unit: 'entries/s',
      baseline: appends / baselineSeconds,
    })
  }
  yield await checkpoints(log)
  yield await proofs(log)
}

function inTransactions(
  db: Database.Database,
  perTransaction: number,
  entries: readonly Uint8Array[],
  write: (entry: Uint8Array) => unknown,
): () => void {
  const some = db.transaction((part: readonly Uint8Array[]) => part.forEach(write))
  return () => {
    for (let from = 0; from < entries.length; from += perTransaction) {
      some.immediate(entries.slice(from, from + perTransaction))
    }
  }
}

/** The log's last entries are these: checkRecord throws where one isn't. */
function assertLast(log: LogStore, entries: readonly Uint8Array[]): void {
  const size = log.size()
  const first = size - entries.length
  for (const [offset, entry] of entries.slice(0, CHECKED).entries()) {
    checkRecord(log.proveRecord(first + offset, size), size, log.root(), first + offset, leafHash(entry))
  }
}

async function checkpoints(log: LogStore): Promise<Row> {
  const { privateKey } = noteSigner(ORIGIN, SEED)
  const text = Buffer.from(log.checkpoint().split('\n\n')[0] ?? '')
  const first = log.size() - CHECKPOINTS
  const { oursSeconds, baselineSeconds } = await sideBySide(
    () => {
      for (let size = first; size < first + CHECKPOINTS; size += 1) log.checkpoint(size)
    },
    () => {
      for (let i = 0; i < CHECKPOINTS; i += 1) sign(null, text, privateKey)
    },
  )
  return rowOf({
    name: 'checkpoints signed, beside bare Ed25519',
    value: CHECKPOINTS / oursSeconds,
    unit: 'heads/s',
    baseline: CHECKPOINTS / baselineSeconds,
  })
}

async function proofs(log: LogStore): Promise<Row> {
  const size = log.size()
  const indices = Array.from(
    { length: PROOFS },
    (_, i) => hash('sha256', `${i}`, 'buffer').readUInt32BE() % size,
  )
  for (const index of indices.slice(0, CHECKED)) {
    checkRecord(log.proveRecord(index, size), size, log.root(), index, leafHash(log.entry(index)))
  }
  const seconds = await medianSeconds(() => {
    for (const index of indices) log.proveRecord(index, size)
  })
  return rowOf({
    name: `inclusion proofs read from a log of ${size} entries`,
    value: PROOFS / seconds,
    unit: 'proofs/s',
  })
}
