import { mkdtempDisposableSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applySchema, openDatabase } from '../../../src/store/open-database.ts'

const schema = readFileSync(
  new URL('../../../src/coordinator/coordinator-schema.sql', import.meta.url),
  'utf8',
)
const key = (n: number) => Buffer.alloc(32, n)

const submissions = fc.array(
  fc.record({
    worker: fc.integer({ min: 1, max: 3 }),
    verdicts: fc.array(fc.constantFrom('pass', 'fail', 'void', null), { minLength: 1, maxLength: 5 }),
  }),
  { maxLength: 12 },
)

test('each worker has as many receipts and verdicts as there are rows, also where a verdict is said twice', () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'assay-tally-'))
  const db = openDatabase(join(folder.path, 'tally.sqlite'))
  applySchema(db, schema)
  db.pragma('foreign_keys = OFF') // of jobs and workers nothing is counted
  const insertSubmission = db.prepare('INSERT INTO submission VALUES (?, ?, ?, ?, ?, 0, NULL)')
  const insertReceipt = db.prepare(
    'INSERT INTO receipt (id, submission, position, job, reward_msat, sampled) VALUES (?, ?, ?, ?, 0, 1)',
  )
  const setVerdict = db.prepare('UPDATE receipt SET verdict = ? WHERE id = ?')
  db.exec('BEGIN IMMEDIATE') // one sync of the disk
  fc.assert(
    fc.property(submissions, (list) => {
      db.exec('DELETE FROM receipt; DELETE FROM submission; DELETE FROM worker_tally')
      for (const [entry, { worker, verdicts }] of list.entries()) {
        insertSubmission.run(entry, key(entry), key(worker), entry, verdicts.length)
        for (const [position, verdict] of verdicts.entries()) {
          const id = Buffer.from([...key(entry).subarray(1), position])
          insertReceipt.run(id, entry, position, entry * 256 + position)
          if (verdict === null) continue
          setVerdict.run(verdict, id)
          setVerdict.run(verdict, id)
        }
      }
      const counted = db.prepare(
        `SELECT worker, count(*), sum(verdict IS 'pass'), sum(verdict IS 'fail'), sum(verdict IS 'void')
           FROM receipt JOIN submission ON submission = entry_index GROUP BY worker ORDER BY worker`,
      )
      expect(db.prepare('SELECT * FROM worker_tally ORDER BY worker').raw().all()).toEqual(
        counted.raw().all(),
      )
    }),
    { numRuns: 30 },
  )
  db.exec('COMMIT')
  db.close()
})
