import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../../src/store/open-database.ts'
import { unsynced } from '../../../src/store/unsynced.ts'

const NORMAL = 1n
const FULL = 2n

function open() {
  const folder = mkdtempSync(join(tmpdir(), 'assay-unsynced-'))
  const db = openDatabase(join(folder, 'assay.db'))
  onTestFinished(() => {
    db.close()
    rmSync(folder, { recursive: true })
  })
  return { db, synchronous: () => db.pragma('synchronous', { simple: true }) }
}

test('commits inside are not synced; those after it are, whatever was thrown', () => {
  const { db, synchronous } = open()
  expect(unsynced(db, synchronous)).toBe(NORMAL)
  expect(synchronous()).toBe(FULL)
  const failing = () =>
    unsynced(db, () => {
      throw new Error('disk full')
    })
  expect(failing).toThrow('disk full')
  expect(synchronous()).toBe(FULL)
})

test('is never begun within a transaction, where SQLite would go on as before', () => {
  const { db } = open()
  const within = db.transaction(() => unsynced(db, () => undefined))
  expect(within).toThrow('between transactions')
})
