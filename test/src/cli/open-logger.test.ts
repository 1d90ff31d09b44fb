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

test('what somebody else wrote does not steer the terminal', () => {
  const { lines, logger } = terminal()
  logger.warn({ detail: '\u001b[2J\u009b31m\n12:00:00 all is well' }, 'warning')
  expect(lines[0]?.trimEnd()).not.toMatch(/\p{Cc}/u)
})
