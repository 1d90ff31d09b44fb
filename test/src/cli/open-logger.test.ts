import assert from 'node:assert/strict'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { openLogger } from '../../../src/cli/open-logger.ts'

function terminal() {
  const lines: string[] = []
  const logger = openLogger({ isTTY: true, write: (text) => lines.push(text) })
  return { lines, logger }
}

test('on a terminal a line is a time, what happened, and its fields', () => {
  const { lines, logger } = terminal()
  logger.info({ worker: 'ab12', receipts: 20, millijoules: null }, 'submitted')
  logger.warn({ code: 'unreachable', detail: 'connect ECONNREFUSED' }, 'warning')
  expect(lines).toHaveLength(2)
  expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d submitted worker=ab12 receipts=20 millijoules=null\n$/)
  expect(lines[1]).toMatch(/^\d\d:\d\d:\d\d WARN warning code=unreachable detail='connect ECONNREFUSED'\n$/)
})

test('an error that is expected is said in a line, a bug with its stack', () => {
  const { lines, logger } = terminal()
  const cause = new Error('refused')
  const expected = Object.assign(new Error('no node: refused', { cause }), { code: 'rpc_unreachable' })
  logger.error({ err: expected }, 'this round failed')
  logger.error({ err: new Error('a bug') }, 'bug')
  expect(lines[0]).toMatch(/ ERROR this round failed: no node: refused\n$/)
  expect(lines[1]).toMatch(/ ERROR bug: Error: a bug\n +at /)
})

test.each([
  ['a broken assertion', () => assert.equal(1, 2), 'AssertionError'],
  ['a query that SQLite refuses', () => new Database(':memory:').exec('nonsense'), 'SqliteError'],
])('%s is a bug, although it has a code: its stack is said, and its cause', (_what, run, name) => {
  const { lines, logger } = terminal()
  try {
    run()
  } catch (error) {
    logger.error({ err: Object.assign(error as Error, { cause: new Error('the cause') }) }, 'bug')
  }
  expect(lines[0]).toContain(` ERROR bug: ${name}`)
  expect(lines[0]).toMatch(/\n +at .*open-logger\.test/)
  expect(lines[0]).toMatch(/Error: the cause\n +at /)
})

test.each(['ENOSPC', 'EAI_AGAIN', 'SQLITE_FULL', 'SQLITE_IOERR_WRITE'])(
  'what the system refuses is no bug: %s',
  (code) => {
    const { lines, logger } = terminal()
    logger.error({ err: Object.assign(new Error('no space left'), { code }) }, 'failed')
    expect(lines[0]).toMatch(/ ERROR failed: no space left\n$/)
  },
)

test('what somebody else wrote does not steer the terminal', () => {
  const { lines, logger } = terminal()
  logger.warn({ detail: '\u001b[2J\u009b31m\n12:00:00 all is well' }, 'warning')
  const said = '\u001b[2J\u009b31m\r'
  const err = Object.assign(new Error(`no:\n\t${said}`), { code: 'lease_full' })
  logger.error({ err }, `refused ${said}`)
  logger.error({ err: new Error(said) }, 'bug')
  expect(lines[0]?.trimEnd()).not.toMatch(/\p{Cc}/u)
  const escaped = String.raw`\u001b[2J\u009b31m\u000d`
  // A line break would begin another line of the log.
  expect(lines[1]).toMatch(/^[^\n]+\n$/)
  expect(lines[1]).toContain(` ERROR refused ${escaped}: no: \t${escaped}\n`)
  expect(lines[2]).toContain(` ERROR bug: Error: ${escaped}\n`)
})
