import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { onTestFinished } from 'vitest'
import { type LogStore, openLog } from '../../../src/log/log-store.ts'
import { openDatabase } from '../../../src/store/open-database.ts'
import { ORIGIN, SEED } from './log-identity.ts'

/** A path for a database, gone with its folder after the test. */
export function temporaryPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-log-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return join(folder, 'assay.db')
}

export function openTemporaryLog(path = temporaryPath()): { db: Database; log: LogStore } {
  const db = openDatabase(path)
  onTestFinished(() => void db.close())
  return { db, log: openLog({ db, origin: ORIGIN, seed: SEED }) }
}

export function appendAll(db: Database, log: LogStore, entries: readonly Uint8Array[]): number[] {
  return db.transaction(() => entries.map((entry) => log.append(entry))).immediate()
}

/** Entries that differ from each other. */
export function numberedEntries(count: number, from = 0): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => Buffer.from(`entry ${from + i}`))
}
