import { describe, expect, test } from 'vitest'
import { contradictionsOf, type JudgedCanary, refutes, unheardOf } from '../../../src/rules/canaries.ts'

const passed = (receipt: string, ...said: [auditor: string, verdict: string | null][]): JudgedCanary => ({
  receipt,
  outcome: 'canary_passed',
  rounds: said.map(([auditor, verdict]) => ({ auditor, verdict })),
})
const failed = (...args: Parameters<typeof passed>): JudgedCanary => ({
  ...passed(...args),
  outcome: 'canary_failed',
})

test.each([
  ['canary_passed', 'fail', true],
  ['canary_passed', 'pass', false],
  ['canary_failed', 'pass', true],
  ['canary_failed', 'fail', false],
  ['canary_failed', 'inconclusive', false],
  ['canary_passed', 'drawn', false],
  ['canary_passed', null, false],
] as const)('%s against a verdict of %s: %s', (outcome, verdict, expected) => {
  expect(refutes(outcome, verdict)).toBe(expected)
})

describe('auditors that known answers refute', () => {
  const admitted = new Set(['a', 'b', 'c'])

  test('are named once, by their first such receipt, in the order of the log', () => {
    const canaries = [
      passed('1', ['a', 'pass']),
      failed('2', ['b', 'pass']),
      passed('3', ['a', 'inconclusive'], ['c', 'fail']),
      passed('4', ['b', 'fail']),
      passed('5', ['a', 'fail']),
    ]
    expect(contradictionsOf(canaries, admitted)).toEqual([
      { auditor: 'b', receipt: '2' },
      { auditor: 'c', receipt: '3' },
      { auditor: 'a', receipt: '5' },
    ])
  })

  test('are none who is not admitted, by now', () => {
    expect(contradictionsOf([passed('1', ['d', 'fail'])], admitted)).toEqual([])
  })
})

test('a receipt counts for its worker once: by its audit, or else by the known answer', () => {
  const canaries = [
    passed('1'),
    failed('2', ['a', null]),
    failed('3', ['a', 'inconclusive'], ['b', 'fail']),
    passed('4', ['a', 'fail']),
    failed('5', ['a', 'inconclusive']),
  ]
  expect(unheardOf(canaries)).toEqual([
    { receipt: '1', verdict: 'pass' },
    { receipt: '2', verdict: 'fail' },
    { receipt: '5', verdict: 'fail' },
  ])
})
