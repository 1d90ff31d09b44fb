import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openKeptAnswers } from '../../../src/api/kept-answers.ts'

let db: Database.Database
beforeEach(() => {
  db = new Database(':memory:').defaultSafeIntegers(true)
  db.exec('CREATE TABLE row (value INTEGER NOT NULL) STRICT; INSERT INTO row VALUES (1)')
})
afterEach(() => db.close())

/** Answers with the row's value, counting how often it is asked. */
function opened() {
  const answers = openKeptAnswers(db)
  const made: string[] = []
  return {
    made,
    ask: (originalUrl: string) =>
      answers({ originalUrl }, () => {
        made.push(originalUrl)
        return String(db.prepare('SELECT value FROM row').pluck().get())
      }),
  }
}

test('an answer is made once for each URL until a row changes', () => {
  const { ask, made } = opened()
  const first = ask('/a?x=1')
  expect(ask('/a?x=1')).toEqual(first)
  ask('/a?x=2')
  expect(made).toEqual(['/a?x=1', '/a?x=2'])
  db.exec('UPDATE row SET value = 2')
  expect(ask('/a?x=1').body.toString()).toBe('2')
  expect(ask('/a?x=1').etag).not.toBe(first.etag)
  expect(made).toEqual(['/a?x=1', '/a?x=2', '/a?x=1'])
})

test('a change that was rolled back gives the same answer again', () => {
  const { ask } = opened()
  const first = ask('/')
  db.exec('BEGIN; UPDATE row SET value = 2; ROLLBACK')
  expect(ask('/')).toEqual(first)
})

test('what could not be answered is asked again', () => {
  const answers = openKeptAnswers(db)
  const ask = (make: () => string) => answers({ originalUrl: '/' }, make)
  expect(() =>
    ask(() => {
      throw new RangeError('not yet')
    }),
  ).toThrow('not yet')
  expect(ask(() => 'now').body.toString()).toBe('now')
})

test('more than 16 MiB are not kept', () => {
  const answers = openKeptAnswers(db)
  const made: string[] = []
  const ask = (originalUrl: string) =>
    answers({ originalUrl }, () => {
      made.push(originalUrl)
      return Buffer.alloc(6 * 1024 * 1024)
    })
  for (const url of ['/1', '/2', '/1', '/3', '/1']) ask(url)
  expect(made).toEqual(['/1', '/2', '/3', '/1'])
})
