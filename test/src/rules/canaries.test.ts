import { describe, expect, test } from 'vitest'
import { openStandings } from '../../../src/replay/standings.ts'
import { type JudgedCanary, observeAuditors, refutes, unheardOf } from '../../../src/rules/canaries.ts'
import { evidenceOf } from '../../../src/rules/cusum-evidence.ts'
import { thawModel } from '../../../src/rules/standings.ts'

const passed = (receipt: string, ...said: [auditor: string, verdict: string | null][]): JudgedCanary => ({
  receipt,
  model: 'tiny/00',
  evidence: evidenceOf({ numerator: 1n, denominator: 1_000_000n }),
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

  /** @returns who was withdrawn by each epoch's answers, and by which receipts */
  function withdrawn(...epochs: JudgedCanary[][]) {
    const records = openStandings(() => '')
    return epochs.map((canaries, entry) =>
      observeAuditors(records, canaries, { admitted, entry }).map(({ auditor, record }) => [
        auditor,
        record.fails.map((fail) => `${fail.entry}:${fail.receipt}`),
      ]),
    )
  }

  test('are withdrawn by the second such receipt, each once, in the order of the log', () => {
    const canaries = [
      passed('1', ['a', 'pass']),
      failed('2', ['b', 'pass']),
      passed('3', ['a', 'inconclusive'], ['c', 'fail']),
      passed('4', ['b', 'fail']),
      passed('5', ['c', 'fail']),
      passed('6', ['b', 'fail']),
    ]
    expect(withdrawn(canaries)).toEqual([
      [
        ['b', ['0:2', '0:4']],
        ['c', ['0:3', '0:5']],
      ],
    ])
  })

  test('stay after one, however strong it is, and by the passes that outweigh it', () => {
    expect(withdrawn([failed('1', ['a', 'pass'])])).toEqual([[]])
    const agreed = Array.from({ length: 110 }, (_, i) => passed(`p${i}`, ['a', 'pass']))
    expect(withdrawn([failed('1', ['a', 'pass'])], agreed, [failed('2', ['a', 'pass'])])).toEqual([
      [],
      [],
      [],
    ])
  })

  test('are remembered over epochs, and begin anew once withdrawn', () => {
    const [first, second, third] = ['1', '2', '3'].map((receipt) => [failed(receipt, ['a', 'pass'])])
    expect(withdrawn(first ?? [], second ?? [], third ?? [])).toEqual([[], [['a', ['0:1', '1:2']]], []])
  })

  test('are none by the answers of a frozen model, and what they said before stays', () => {
    const records = openStandings(() => '')
    const refuted = (...receipts: string[]) =>
      observeAuditors(
        records,
        receipts.map((receipt) => passed(receipt, ['a', 'fail'])),
        { admitted, entry: 0 },
      ).map(({ record }) => record.fails.map(({ receipt }) => receipt))
    expect(refuted('1')).toEqual([])
    records.freeze('tiny/00')
    expect(refuted('2', '3')).toEqual([])
    thawModel(records, 'tiny/00', 'recalibrated')
    expect(refuted('4')).toEqual([['1', '4']])
  })

  test('are none who is not admitted, by now', () => {
    const canaries = ['1', '2', '3'].map((receipt) => passed(receipt, ['d', 'fail']))
    expect(withdrawn(canaries)).toEqual([[]])
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
