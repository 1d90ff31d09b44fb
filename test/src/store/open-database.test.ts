import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, onTestFinished, test } from 'vitest'
import { applySchema, openDatabase } from '../../../src/store/open-database.ts'
import { StoreError } from '../../../src/store/store-error.ts'

function temporaryPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-store-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'assay.db')
}

function open(path: string): Database.Database {
  const db = openDatabase(path)
  onTestFinished(() => void db.close())
  return db
}

test('a commit is durable: write-ahead log with full sync', () => {
  const db = open(temporaryPath())
  expect(db.pragma('journal_mode', { simple: true })).toBe('wal')
  expect(db.pragma('synchronous', { simple: true })).toBe(2n)
})

test('foreign keys are enforced and integers beyond 2^53 come back exact', () => {
  const db = open(temporaryPath())
  applySchema(
    db,
    `CREATE TABLE IF NOT EXISTS parent (id INTEGER PRIMARY KEY) STRICT;
     CREATE TABLE IF NOT EXISTS child (id INTEGER NOT NULL REFERENCES parent) STRICT;`,
  )
  expect(() => db.exec('INSERT INTO child VALUES (1)')).toThrow('FOREIGN KEY')
  db.prepare('INSERT INTO parent VALUES (?)').run(2n ** 63n - 1n)
  expect(db.prepare('SELECT id FROM parent').pluck().get()).toBe(2n ** 63n - 1n)
})

test('a schema applied twice keeps its rows; one that fails leaves nothing', () => {
  const path = temporaryPath()
  const schema = 'CREATE TABLE IF NOT EXISTS kept (id INTEGER PRIMARY KEY) STRICT;'
  const first = openDatabase(path)
  applySchema(first, schema)
  first.exec('INSERT INTO kept VALUES (7)')
  first.close()

  const second = open(path)
  applySchema(second, schema)
  expect(second.prepare('SELECT id FROM kept').pluck().all()).toEqual([7n])
  expect(() => applySchema(second, 'CREATE TABLE half (id INTEGER) STRICT; CREATE TABLE broken (')).toThrow()
  expect(second.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").pluck().get()).toBe(0n)
})

test.each([
  ['a newer schema version', 'user_version = 2', 'schema_newer'],
  ['another application', 'application_id = 252006674', 'database_foreign'],
])('%s is refused', (_title, pragma, code) => {
  const path = temporaryPath()
  const db = openDatabase(path)
  applySchema(db, 'CREATE TABLE IF NOT EXISTS filled (id INTEGER) STRICT;')
  db.pragma(pragma)
  db.close()
  expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code }))
})

test("somebody else's SQLite database is refused and left as it was", () => {
  const path = temporaryPath()
  const foreign = new Database(path)
  foreign.exec('CREATE TABLE theirs (id INTEGER)')
  foreign.close()
  expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: 'database_foreign' }))
  const again = new Database(path)
  onTestFinished(() => void again.close())
  expect(again.pragma('journal_mode', { simple: true })).toBe('delete')
})

test('a file that is not SQLite, and a missing folder, are unreadable with the cause kept', () => {
  const path = temporaryPath()
  writeFileSync(path, 'not a database, but long enough to be mistaken for one by its size alone'.repeat(20))
  for (const unreadable of [path, join(path, 'below', 'a-file.db')]) {
    try {
      openDatabase(unreadable)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(StoreError)
      expect(error).toMatchObject({ code: 'database_unreadable', cause: expect.any(Error) })
    }
  }
})

test('a database that cannot have a write-ahead log is refused', () => {
  expect(() => openDatabase(':memory:')).toThrow(expect.objectContaining({ code: 'durability_refused' }))
})

describe('migrations', () => {
  const first = 'CREATE TABLE IF NOT EXISTS kept (id INTEGER PRIMARY KEY) STRICT;'
  const toSecond = 'ALTER TABLE kept ADD COLUMN name TEXT'
  const toThird = "UPDATE kept SET name = 'known' WHERE id = 7"
  const versionOf = (db: Database.Database) => db.pragma('user_version', { simple: true })

  /** Of version 1, with a row. */
  function old(): string {
    const path = temporaryPath()
    const db = openDatabase(path)
    applySchema(db, first)
    db.exec('INSERT INTO kept VALUES (7)')
    db.close()
    return path
  }

  test('run in their order, once, after a copy of what was there', () => {
    const path = old()
    const db = openDatabase(path, [toSecond, toThird])
    expect(versionOf(db)).toBe(3n)
    expect(db.prepare('SELECT * FROM kept').all()).toEqual([{ id: 7n, name: 'known' }])
    expect(db.pragma('foreign_keys', { simple: true })).toBe(1n)
    db.exec('DELETE FROM kept')
    db.close()
    const again = openDatabase(path, [toSecond, toThird])
    expect(again.prepare('SELECT count(*) FROM kept').pluck().get()).toBe(0n)
    again.close()
    const copy = open(`${path}.v1`)
    expect([versionOf(copy), copy.prepare('SELECT * FROM kept').all()]).toEqual([1n, [{ id: 7n }]])
  })

  test('a new file needs none; an older program refuses it', () => {
    const path = temporaryPath()
    const db = openDatabase(path, [toSecond])
    expect(versionOf(db)).toBe(2n)
    applySchema(db, first)
    db.close()
    expect(existsSync(`${path}.v1`)).toBe(false)
    expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: 'schema_newer' }))
  })

  test.each([
    ['one that fails', 'UPDATE nothing SET x = 1'],
    [
      'one that breaks a reference',
      'CREATE TABLE child (id INTEGER REFERENCES kept); INSERT INTO child VALUES (9)',
    ],
  ])('%s leaves the file as it was, and half a copy is in nobody\u2019s way', (_what, broken) => {
    const path = old()
    writeFileSync(`${path}.v1.part`, 'half a copy')
    expect(() => openDatabase(path, [toSecond, broken])).toThrow()
    const db = open(path)
    expect([versionOf(db), db.prepare('SELECT * FROM kept').all()]).toEqual([1n, [{ id: 7n }]])
    expect(existsSync(`${path}.v1.part`)).toBe(false)
  })
})
