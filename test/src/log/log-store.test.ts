import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { verifyCheckpoint } from '../../../src/log/checkpoint.ts'
import { MAX_ENTRY_BYTES } from '../../../src/log/entry-bundle.ts'
import { openLog } from '../../../src/log/log-store.ts'
import { parseVerifierKey } from '../../../src/log/note-key.ts'
import { checkRecord, checkTree, leafHash, treeHash } from '../../../src/log/rfc6962.ts'
import { ORIGIN, SEED } from './log-identity.ts'
import { memoryTree } from './memory-tree.ts'
import { appendAll, numberedEntries, openTemporaryLog, temporaryPath } from './temporary-log.ts'

function coded(code: string): unknown {
  return expect.objectContaining({ name: 'LogError', code })
}

describe('appending', () => {
  test('entries get the indexes 0, 1, 2 … and come back', () => {
    const { db, log } = openTemporaryLog()
    const entries = numberedEntries(5)
    expect(appendAll(db, log, entries)).toEqual([0, 1, 2, 3, 4])
    expect(log.size()).toBe(5)
    expect(entries.map((_, index) => log.entry(index))).toEqual(entries)
    expect([...log.entries(1, 4)]).toEqual(entries.slice(1, 4))
    expect([...log.entries(5, 5)]).toEqual([])
  })

  test('the empty log has the root of the empty tree', () => {
    const { log } = openTemporaryLog()
    expect(log.size()).toBe(0)
    expect(log.root()).toEqual(treeHash(0, memoryTree([]).readNode))
  })

  test('outside of a transaction it is a bug', () => {
    const { log } = openTemporaryLog()
    expect(() => log.append(Buffer.from('x'))).toThrow('commits with the state')
    expect(log.size()).toBe(0)
  })

  test('an entry of 65,535 bytes fits, one more is refused', () => {
    const { db, log } = openTemporaryLog()
    appendAll(db, log, [new Uint8Array(), new Uint8Array(MAX_ENTRY_BYTES)])
    expect([log.entry(0).length, log.entry(1).length]).toEqual([0, MAX_ENTRY_BYTES])
    expect(() => appendAll(db, log, [new Uint8Array(MAX_ENTRY_BYTES + 1)])).toThrow(coded('entry_too_large'))
    expect(log.size()).toBe(2)
  })

  test('whatever is committed or rolled back, the log is the tree over what was committed', () => {
    const batches = fc.array(
      fc.record({
        entries: fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 9 }),
        commit: fc.boolean(),
      }),
      { maxLength: 12 },
    )
    fc.assert(
      fc.property(batches, (batches) => {
        const { db, log } = openTemporaryLog()
        const committed: Uint8Array[] = []
        for (const { entries, commit } of batches) {
          db.exec('BEGIN IMMEDIATE')
          for (const entry of entries) log.append(entry)
          db.exec(commit ? 'COMMIT' : 'ROLLBACK')
          if (commit) committed.push(...entries)
        }
        const { hashes, readNode } = memoryTree(committed)
        expect(log.size()).toBe(committed.length)
        expect(log.root()).toEqual(treeHash(committed.length, readNode))
        expect(db.prepare('SELECT count(*) FROM log_hash').pluck().get()).toBe(BigInt(hashes.length))
      }),
      { numRuns: 40 },
    )
  })

  test('a savepoint that rolls back takes its entries with it and leaves the transaction the rest', () => {
    const { db, log } = openTemporaryLog()
    const inner = db.transaction(() => {
      log.append(Buffer.from('lost'))
      throw new Error('undone')
    })
    const outer = db.transaction(() => {
      log.append(Buffer.from('first'))
      expect(inner).toThrow('undone')
      return log.append(Buffer.from('second'))
    })
    expect(outer.immediate()).toBe(1)
    expect([...log.entries(0, log.size())].map(String)).toEqual(['first', 'second'])
  })

  test('the database may be written while entries are read one by one', () => {
    const { db, log } = openTemporaryLog()
    appendAll(db, log, numberedEntries(3))
    for (const entry of log.entries(0, 3)) appendAll(db, log, [entry])
    expect([...log.entries(3, 6)]).toEqual(numberedEntries(3))
  })
})

describe('proofs', () => {
  test('each record and each earlier tree is proved to the root of each size', () => {
    const { db, log } = openTemporaryLog()
    const entries = numberedEntries(21)
    appendAll(db, log, entries)
    for (let size = 1; size <= entries.length; size += 1) {
      for (const [index, entry] of entries.slice(0, size).entries()) {
        checkRecord(log.proveRecord(index, size), size, log.root(size), index, leafHash(entry))
        checkTree(log.proveTree(index + 1, size), size, log.root(size), index + 1, log.root(index + 1))
      }
    }
  })
})

describe('checkpoints', () => {
  test('one covers every committed entry and verifies under the key of the origin', () => {
    const { db, log } = openTemporaryLog()
    const verifier = parseVerifierKey(log.verifierKey)
    for (const size of [0, 1, 2]) {
      expect(verifyCheckpoint(log.checkpoint(), verifier)).toEqual({ origin: ORIGIN, size, root: log.root() })
      appendAll(db, log, numberedEntries(1, size))
    }
  })

  test('an earlier head is signed again as it was', () => {
    const { db, log } = openTemporaryLog()
    appendAll(db, log, numberedEntries(2))
    const earlier = log.checkpoint()
    appendAll(db, log, numberedEntries(3, 2))
    const latest = log.checkpoint()
    expect(log.checkpoint(2)).toBe(earlier)
    expect(log.checkpoint()).toBe(latest)
  })

  test('inside a transaction it is a bug: nothing is signed that may roll back', () => {
    const { db, log } = openTemporaryLog()
    db.exec('BEGIN IMMEDIATE')
    log.append(Buffer.from('not durable'))
    expect(() => log.checkpoint()).toThrow('only a committed head is signed')
    db.exec('ROLLBACK')
    expect(verifyCheckpoint(log.checkpoint(), parseVerifierKey(log.verifierKey)).size).toBe(0)
  })
})

describe('what the log does not have is out of range', () => {
  const outOfRange = coded('out_of_range')

  test.each<[string, (log: ReturnType<typeof openLog>) => unknown]>([
    ['an entry at the size', (log) => log.entry(3)],
    ['a negative entry', (log) => log.entry(-1)],
    ['a fractional entry', (log) => log.entry(0.5)],
    ['an entry that is no number', (log) => log.entry(Number.NaN)],
    ['entries past the size', (log) => log.entries(0, 4)],
    ['entries backwards', (log) => log.entries(2, 1)],
    ['the root of a larger tree', (log) => log.root(4)],
    ['the head of a larger tree', (log) => log.checkpoint(4)],
    ['the root of a negative size', (log) => log.root(-1)],
    ['a record in a larger tree', (log) => log.proveRecord(0, 4)],
    ['a record outside of its tree', (log) => log.proveRecord(2, 2)],
    ['a larger tree', (log) => log.proveTree(1, 4)],
    ['a tree that begins with a larger one', (log) => log.proveTree(3, 2)],
    ['a tree that begins with the empty one', (log) => log.proveTree(0, 2)],
    ['a full tile', (log) => log.tile(0, 0)],
    ['a wider tile', (log) => log.tile(0, 0, 4)],
    ['a later tile', (log) => log.tile(0, 1, 1)],
    ['a higher tile', (log) => log.tile(1, 0, 1)],
    ['the highest tile', (log) => log.tile(63, 0, 1)],
    ['a full bundle', (log) => log.entryBundle(0)],
    ['a wider bundle', (log) => log.entryBundle(0, 4)],
    ['the last bundle of all', (log) => log.entryBundle(999_999_999_999_999, 1)],
  ])('%s', (_title, ask) => {
    const { db, log } = openTemporaryLog()
    appendAll(db, log, numberedEntries(3))
    expect(() => ask(log)).toThrow(outOfRange)
  })

  test('a tile of no width, or wider than any, is a bug', () => {
    const { log } = openTemporaryLog()
    for (const width of [0, 257, 1.5]) {
      expect(() => log.tile(0, 0, width)).toThrow('1 to 256')
      expect(() => log.entryBundle(0, width)).toThrow('1 to 256')
    }
  })
})

describe('opening again', () => {
  test('gives the same log', () => {
    const path = temporaryPath()
    const first = openTemporaryLog(path)
    appendAll(first.db, first.log, numberedEntries(100))
    const [root, checkpoint] = [first.log.root(), first.log.checkpoint()]
    first.db.close()
    const { db, log } = openTemporaryLog(path)
    expect(log.root()).toEqual(root)
    expect(log.checkpoint()).toBe(checkpoint)
    expect(appendAll(db, log, numberedEntries(1))).toEqual([100])
  })

  test.each([
    ['another origin', 'other.example', SEED],
    ['another key', ORIGIN, new Uint8Array(32).fill(2)],
  ])('under %s is refused', (_title, origin, seed) => {
    const { db } = openTemporaryLog()
    expect(() => openLog({ db, origin, seed })).toThrow(coded('log_foreign'))
  })

  test('an origin that names no key is refused', () => {
    const { db } = openTemporaryLog()
    expect(() => openLog({ db, origin: 'two words', seed: SEED })).toThrow(
      expect.objectContaining({ name: 'NoteError', code: 'key_malformed' }),
    )
  })
})

describe('a log of 11 entries that was tampered with', () => {
  // Its right edge is the roots over entries [0, 8), [8, 10) and entry 10: hashes 14, 17 and 18.
  const atOpening = [
    ['its last entry changed', "UPDATE log_entry SET entry = x'00' WHERE entry_index = 10"],
    ['its last entry gone', 'DELETE FROM log_entry WHERE entry_index = 10'],
    ['its last hash gone', 'DELETE FROM log_hash WHERE hash_index = 18'],
    ['the hash of its last entry changed', 'UPDATE log_hash SET hash = zeroblob(32) WHERE hash_index = 18'],
    ['a root on its right edge changed', 'UPDATE log_hash SET hash = zeroblob(32) WHERE hash_index = 14'],
    ['what such a root is made of changed', 'UPDATE log_hash SET hash = zeroblob(32) WHERE hash_index = 15'],
    ['a hash missing under such a root', 'DELETE FROM log_hash WHERE hash_index = 13'],
    ['an entry more than hashes', "INSERT INTO log_entry VALUES (11, x'00')"],
  ] as const

  function tampered(sql: string) {
    const { db, log } = openTemporaryLog()
    appendAll(db, log, numberedEntries(11))
    const triggers = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all()
    for (const name of triggers) db.exec(`DROP TRIGGER ${name}`)
    expect(db.prepare(sql).run().changes).toBe(1)
    return { db, log }
  }

  test.each(atOpening)('%s: is not opened', (_title, sql) => {
    const { db } = tampered(sql)
    expect(() => openLog({ db, origin: ORIGIN, seed: SEED })).toThrow(coded('log_corrupt'))
  })

  test('an inner row missing: is found when it is read', () => {
    const entryGone = tampered('DELETE FROM log_entry WHERE entry_index = 3')
    expect(() => entryGone.log.entry(3)).toThrow(coded('log_corrupt'))
    const hashGone = tampered('DELETE FROM log_hash WHERE hash_index = 0')
    expect(() => hashGone.log.proveRecord(1, 11)).toThrow(coded('log_corrupt'))
  })
})

test.each([
  "UPDATE log_entry SET entry = x'00'",
  'DELETE FROM log_entry',
  "REPLACE INTO log_entry VALUES (0, x'00')",
  "INSERT INTO log_entry VALUES (4, x'00')",
  "INSERT INTO log_entry (entry) VALUES (x'00')",
  'INSERT INTO log_entry VALUES (3, zeroblob(65536))',
  'UPDATE log_hash SET hash = zeroblob(32)',
  'DELETE FROM log_hash',
  'REPLACE INTO log_hash VALUES (0, zeroblob(32))',
  'INSERT INTO log_hash VALUES (5, zeroblob(32))',
  'INSERT INTO log_hash VALUES (4, zeroblob(31))',
  "UPDATE log_identity SET verifier_key = 'other'",
  'DELETE FROM log_identity',
  "REPLACE INTO log_identity VALUES (1, 'other')",
  "INSERT INTO log_identity VALUES (2, 'other')",
])('the database itself refuses %s', (sql) => {
  const { db, log } = openTemporaryLog()
  appendAll(db, log, numberedEntries(3))
  const before = log.checkpoint()
  expect(() => db.exec(sql)).toThrow(/append-only|set once|CHECK constraint/)
  expect(openLog({ db, origin: ORIGIN, seed: SEED }).checkpoint()).toBe(before)
})
