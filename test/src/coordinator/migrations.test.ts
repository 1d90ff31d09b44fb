import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { MAX_BUNDLE_BYTES } from '../../../compute/work/tensor-bundle.ts'
import { openBlobStore } from '../../../src/blobs/blob-store.ts'
import { openApiKeys } from '../../../src/coordinator/api-keys.ts'
import { openHolds } from '../../../src/coordinator/holds.ts'
import { openSiteDatabase } from '../../../src/coordinator/migrations.ts'
import { maturedAccount } from '../../../src/ledger/accounts.ts'
import { applySchema, openDatabase } from '../../../src/store/open-database.ts'

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
/** Of every room whose tables stand in the one database. */
const SCHEMAS = [
  '../../../src/log/log-schema.sql',
  '../../../src/ledger/ledger-schema.sql',
  '../../../src/coordinator/coordinator-schema.sql',
  '../../../anchor/anchor-schema.sql',
  '../../../anchor/payer-schema.sql',
]
const NAMES_1 = ['log', 'ledger', 'coordinator', 'anchor', 'payer']
const KEY = Buffer.alloc(32, 7)
const bytes = (fill: number) => new Uint8Array(32).fill(fill)

let folder: string
beforeEach(() => {
  folder = temporaryFolder()
})

function temporaryFolder(): string {
  const made = mkdtempSync(join(tmpdir(), 'assay-migrations-'))
  onTestFinished(() => rmSync(made, { recursive: true }))
  return made
}

function closing(db: Database): Database {
  onTestFinished(() => void db.close())
  return db
}

/** The tables of `rooms` as they were while an account had its key in its own row. */
function oldDatabase(rooms: readonly string[], fill: (db: Database) => void = () => {}): void {
  const db = openDatabase(join(folder, 'assay.sqlite'))
  for (const room of rooms) applySchema(db, read(`./schema-1/${room}-schema.sql`))
  fill(db)
  db.close()
}

/** Opened as the coordinator does it: brought to this version, then every room makes what it lacks. */
function opened(at: string): Database {
  const db = closing(openSiteDatabase(at))
  for (const schema of SCHEMAS) applySchema(db, read(schema))
  return db
}

/** Every table, column, index and trigger, whatever its comments and blanks. */
function schemaOf(db: Database): unknown {
  const things = db
    .prepare<[], { type: string; name: string; sql: string | null }>(
      'SELECT type, name, sql FROM sqlite_schema ORDER BY type, name',
    )
    .all()
  return things.map(({ type, name, sql }) => ({
    type,
    name,
    sql: sql
      ?.replace(/--.*$/gm, '')
      .replace(/[\s"]+/g, ' ')
      .replace(/ ?([(),]) ?/g, '$1')
      .trim(),
    columns: type === 'table' ? db.pragma(`table_xinfo(${name})`) : null,
  }))
}

test.each([
  ['whole', NAMES_1],
  ['without a genesis', ['log', 'ledger', 'coordinator']],
])(
  'a database of version 1, %s, gets every table, column, index and trigger of a new one',
  (_name, rooms) => {
    oldDatabase(rooms)
    expect(schemaOf(opened(folder))).toEqual(schemaOf(opened(temporaryFolder())))
  },
)

test('no account loses its key, and the file as it was stands beside it', () => {
  oldDatabase(NAMES_1, (db) =>
    db
      .prepare('INSERT INTO requester VALUES (1, ?, ?, ?, ?, 4)')
      .run('alice', sha256(KEY), 'bcrt1pdeposit', 'bcrt1prefund'),
  )
  const db = opened(folder)
  expect(db.prepare('SELECT * FROM requester').all()).toEqual([
    {
      number: 1n,
      name: 'alice',
      deposit_address: 'bcrt1pdeposit',
      refund_address: 'bcrt1prefund',
      entry_index: 4n,
    },
  ])
  expect(openApiKeys(db).find(`Bearer ${KEY.toString('hex')}`)).toEqual({ role: 'requester', name: 'alice' })
  const copy = closing(openDatabase(join(folder, 'assay.sqlite.v1')))
  expect(copy.prepare('SELECT name FROM requester').pluck().all()).toEqual(['alice'])
})

test('work is public, payouts name accounts, the treasury’s own key signs, and what was held is held for good', () => {
  oldDatabase(NAMES_1, (db) =>
    db.exec(`
      INSERT INTO worker (key, address, threshold_sats, entry_index) VALUES (x'${'01'.repeat(32)}', 'bcrt1p', 0, 1);
      INSERT INTO item (subnet, model, item, input) VALUES ('s', x'${'02'.repeat(32)}', 0, x'${'03'.repeat(32)}');
      INSERT INTO job (id, bytes, subnet, model, input, input_salt, origin_salt, origin_record, worker, epoch, units,
                       entry_index, deadline_ms, unproven, state)
        VALUES (x'${'04'.repeat(32)}', x'00', 's', x'${'02'.repeat(32)}', x'${'05'.repeat(32)}', x'${'06'.repeat(32)}',
                x'${'06'.repeat(32)}', x'00', x'${'01'.repeat(32)}', 3, 10, 2, 99, 1, 'submitted');
      INSERT INTO result VALUES (x'${'04'.repeat(32)}', x'${'07'.repeat(32)}', x'${'08'.repeat(32)}', x'${'09'.repeat(32)}');
      INSERT INTO submission (entry_index, id, worker, sequence, count, unmatured_msat)
        VALUES (5, x'${'0a'.repeat(32)}', x'${'01'.repeat(32)}', 0, 1, 0);
      INSERT INTO receipt (id, submission, position, job, reward_msat, sampled, verdict, verdict_entry)
        VALUES (x'${'07'.repeat(32)}', 5, 0, x'${'04'.repeat(32)}', 11, 1, 'pass', 6);
      INSERT INTO audit (receipt, round, auditor, drawn_height, state)
        VALUES (x'${'07'.repeat(32)}', 0, x'${'01'.repeat(32)}', 9, 'pass');
      INSERT INTO epoch (number) VALUES (3);
      INSERT INTO accrual VALUES (3, x'${'01'.repeat(32)}', 's', 21, 'matured');
      INSERT INTO requester VALUES (1, 'alice', x'${'0d'.repeat(32)}', 'bcrt1pdeposit', 'bcrt1prefund', 4);
      INSERT INTO fee VALUES (x'${'07'.repeat(32)}', 3, 'alice', x'${'01'.repeat(32)}', 's', 22, 23, 'forfeited');
      INSERT INTO payout VALUES (0, 7, x'${'0b'.repeat(32)}', x'${'01'.repeat(32)}', 12, 13, 'settled');
      INSERT INTO payer_payout (id, state, total_sats) VALUES ('payout/0', 'pinned', 12);
      INSERT INTO payer_input VALUES (1, 0, '${'0c'.repeat(32)}', 2, 14);`),
  )
  const db = opened(folder)
  expect(db.prepare('SELECT units, output_bytes, unproven, is_private, state FROM job').all()).toEqual([
    { units: 10n, output_bytes: BigInt(MAX_BUNDLE_BYTES), unproven: 1n, is_private: 0n, state: 'submitted' },
  ])
  const [worker, receipt, job, output] = [1, 7, 4, 8].map((fill) => Buffer.from(bytes(fill)))
  expect(
    db
      .prepare(
        `SELECT receipt.id AS receipt, job.id AS job, output, answered_ms
           FROM receipt JOIN job ON job.number = receipt.job JOIN result ON result.job = job.number`,
      )
      .all(),
  ).toEqual([{ receipt, job, output, answered_ms: 99n }])
  const known = { epoch: 3n, worker, subnet: 's', model: '' }
  expect(db.prepare('SELECT * FROM accrual').all()).toEqual([{ ...known, msat: 21n, fate: 'matured' }])
  expect(db.prepare('SELECT * FROM fee').all()).toEqual([
    { ...known, receipt, requester: 'alice', msat: 22n, share_msat: 23n, fate: 'forfeited' },
  ])
  expect(
    db.prepare('SELECT reward_msat, verdict, verdict_entry, is_refuted, reason FROM receipt').all(),
  ).toEqual([{ reward_msat: 11n, verdict: 'pass', verdict_entry: 6n, is_refuted: 0n, reason: null }])
  expect(db.prepare('SELECT receipts, passed, failed, void FROM worker_tally').raw().all()).toEqual([
    [1n, 1n, 0n, 0n],
  ])
  expect(db.prepare('SELECT * FROM audit_tally').raw().all()).toEqual([['pass', 1n]])
  expect(db.prepare('SELECT last_account, total_sats, height FROM payout').all()).toEqual([
    { last_account: maturedAccount('01'.repeat(32)), total_sats: 12n, height: 13n },
  ])
  expect(db.prepare('SELECT id, state, total_sats FROM payer_payout').all()).toEqual([
    { id: 'payout/0', state: 'pinned', total_sats: 12n },
  ])
  expect(db.prepare('SELECT vout, value_sats, key_index FROM payer_input').all()).toEqual([
    { vout: 2n, value_sats: 14n, key_index: 0n },
  ])
  // A later lease of the same input must not give it an end.
  const blobs = openBlobStore(join(folder, 'blobs'))
  onTestFinished(() => blobs.close())
  openHolds({ db, blobs }).hold([bytes(3)], false, 9)
  expect(db.prepare('SELECT digest, epoch FROM held_blob ORDER BY digest').all()).toEqual(
    [3, 5, 8].map((fill) => ({ digest: Buffer.from(bytes(fill)), epoch: null })),
  )
})

test('what is reserved is named for its job’s number from now on, what has ended keeps its name, and neither is changed again', () => {
  oldDatabase(NAMES_1, (db) =>
    db.exec(`
      INSERT INTO worker (key, address, threshold_sats, entry_index) VALUES (x'${'01'.repeat(32)}', 'bcrt1p', 0, 1);
      ${[4, 5]
        .map(
          (
            id,
          ) => `INSERT INTO job (id, bytes, subnet, model, input, input_salt, origin_salt, origin_record, requester, charge_msat,
                                    worker, epoch, units, entry_index, deadline_ms, unproven, state)
            VALUES (x'${`0${id}`.repeat(32)}', x'00', 's', x'${'02'.repeat(32)}', x'${'05'.repeat(32)}', x'${'06'.repeat(32)}',
                    x'${'06'.repeat(32)}', x'00', 'alice', 9, x'${'01'.repeat(32)}', 3, 10, 2, 99, 1, 'leased');`,
        )
        .join('')}
      INSERT INTO ledger_account (name, credit_normal) VALUES ('treasury', 0), ('requester/alice', 1), ('escrow', 1);
      INSERT INTO ledger_transfer (id, kind, debit, credit, amount_msat, code, entry_index, pending_id) VALUES
        ('deposit', 'direct', 'treasury', 'requester/alice', 100, 'deposit', 1, NULL),
        ('charge/${'04'.repeat(32)}', 'pending', 'requester/alice', 'escrow', 9, 'charge', 2, NULL),
        ('charge/${'05'.repeat(32)}', 'pending', 'requester/alice', 'escrow', 9, 'charge', 2, NULL),
        ('charge/${'04'.repeat(32)}/void', 'void', 'requester/alice', 'escrow', 9, 'charge', 3, 'charge/${'04'.repeat(32)}');`),
  )
  const db = opened(folder)
  const number = db
    .prepare('SELECT number FROM job WHERE id = ?')
    .pluck()
    .get(Buffer.from(bytes(5)))
  expect(db.prepare('SELECT id FROM ledger_transfer ORDER BY sequence').pluck().all()).toEqual([
    'deposit',
    `charge/${'04'.repeat(32)}`,
    `charge/${number}`,
    `charge/${'04'.repeat(32)}/void`,
  ])
  expect(() => db.exec(`UPDATE ledger_transfer SET id = 'other' WHERE id = 'deposit'`)).toThrow('immutable')
})
