import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  MAX_UNSETTLED_RECEIPTS,
  MAX_UNSETTLED_WHEN_LEASING,
  openUnsettledWatch,
} from '../../../src/coordinator/unsettled-watch.ts'

const FULL = expect.objectContaining({ status: 503, code: 'log_full' })

let db: Database.Database
beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 })
  db = new Database(':memory:')
  db.defaultSafeIntegers(true)
  db.exec('CREATE TABLE receipt (reason TEXT)')
})
afterEach(() => {
  vi.useRealTimers()
  db.close()
})

function insert(receipts: number): void {
  db.prepare(
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO receipt SELECT NULL FROM n',
  ).run(receipts)
}

test('no work begins while too much waits for settlement, and what is under way is still taken', () => {
  insert(MAX_UNSETTLED_WHEN_LEASING - 1)
  const watch = openUnsettledWatch(db)
  watch.assertLeasable()
  watch.take(1)
  expect(() => watch.assertLeasable()).toThrow(FULL)
  watch.take(MAX_UNSETTLED_RECEIPTS - MAX_UNSETTLED_WHEN_LEASING)
  expect(() => watch.take(1)).toThrow(FULL)
})

test('what was settled makes room, what was refused takes none', () => {
  insert(MAX_UNSETTLED_RECEIPTS - 2)
  const watch = openUnsettledWatch(db)
  expect(() => watch.take(3)).toThrow(FULL)
  watch.take(2)
  expect(() => watch.take(1)).toThrow(FULL)
  db.exec(`UPDATE receipt SET reason = 'earned'`)
  expect(() => watch.take(1)).toThrow(FULL)
  vi.advanceTimersByTime(2_000)
  watch.take(MAX_UNSETTLED_RECEIPTS)
})
