import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { openApiKeys } from '../../../src/coordinator/api-keys.ts'
import { openSiteDatabase } from '../../../src/coordinator/migrations.ts'
import { applySchema, openDatabase } from '../../../src/store/open-database.ts'

/** The tables as they were while an account had its key in its own row. */
const SCHEMA_1 = readFileSync(new URL('./schema-1.sql', import.meta.url), 'utf8')
const SCHEMA = readFileSync(
  new URL('../../../src/coordinator/coordinator-schema.sql', import.meta.url),
  'utf8',
)
const KEY = Buffer.alloc(32, 7)

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-migrations-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

function closing(db: Database): Database {
  onTestFinished(() => void db.close())
  return db
}

/** Every table that has changed since version 1, column by column. */
function columns(db: Database): unknown {
  return ['api_key', 'requester'].map((table) => db.pragma(`table_info(${table})`))
}

test('a database of version 1 becomes one of this program, and no account loses its key', () => {
  const folder = temporaryFolder()
  const old = openDatabase(join(folder, 'assay.sqlite'))
  applySchema(old, SCHEMA_1)
  old
    .prepare('INSERT INTO requester VALUES (1, ?, ?, ?, ?, 4)')
    .run('alice', sha256(KEY), 'bcrt1pdeposit', 'bcrt1prefund')
  old.close()

  const db = closing(openSiteDatabase(folder))
  applySchema(db, SCHEMA)
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
  const fresh = closing(openSiteDatabase(temporaryFolder()))
  applySchema(fresh, SCHEMA)
  expect(columns(db)).toEqual(columns(fresh))
  const copy = closing(openDatabase(join(folder, 'assay.sqlite.v1')))
  expect(copy.prepare('SELECT name FROM requester').pluck().all()).toEqual(['alice'])
})
