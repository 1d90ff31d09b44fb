import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { type Row, rowOf } from '../../bench/row.ts'
import { runBench, type Suite } from '../../bench/run-bench.ts'

const met = rowOf({ name: 'met', value: 1, unit: 's', bar: { on: 'value', is: '≤', bound: 1 } })
const missed = rowOf({
  name: 'missed',
  value: 1,
  unit: 's',
  baseline: 2,
  bar: { on: 'ratio', is: '≥', bound: 1 },
})
const suiteOf = (...rows: Row[]): Suite => ({
  load: async () => ({
    rows: async function* () {
      yield* rows
    },
  }),
})
const SUITES = new Map<string, Suite>([
  ['good', suiteOf(met)],
  ['bad', suiteOf(missed, met)],
  ['slow', { ...suiteOf(missed), isSlow: true }],
])

async function run(suites: ReadonlyMap<string, Suite>, ...args: string[]) {
  const lines: string[] = []
  const code = await runBench(args, suites, (line) => lines.push(line))
  return { code, lines }
}

describe('runBench', () => {
  test('prints a table and ends with 0 where every bar is met', async () => {
    const { code, lines } = await run(SUITES, 'good')
    expect(code).toBe(0)
    expect(lines).toEqual([
      expect.stringMatching(/^figure .*bar$/),
      expect.stringMatching(/^met .*✓ value ≤ 1$/),
    ])
  })

  test('ends with 1 where a bar is missed, after all rows', async () => {
    const { code, lines } = await run(SUITES, 'bad')
    expect(code).toBe(1)
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/^missed .*0\.5×.*✗ ratio ≥ 1$/),
      expect.stringMatching(/^met /),
    ])
  })

  test('prints one JSON row to a line with --json', async () => {
    const { lines } = await run(SUITES, 'bad', '--json')
    expect(lines.map((line) => JSON.parse(line))).toEqual([missed, met])
    expect(Object.keys(met)).toEqual(['name', 'value', 'unit', 'baseline', 'ratio', 'bar', 'ok'])
  })

  test('runs all but the slow ones for `all`', async () => {
    const { lines } = await run(SUITES, 'all', '--json')
    expect(lines.length).toBe(3)
  })

  test.each([[[]], [['other']], [['good', 'bad']], [['good', '--fast']]])(
    'lists the names for %j',
    async (args) => {
      const { code, lines } = await run(SUITES, ...args)
      expect(code).toBe(2)
      expect(lines.join()).toContain('good, bad, slow, all')
    },
  )

  test('lets through what a suite throws: a wrong result is no figure', async () => {
    const broken = new Map([['broken', { load: () => Promise.reject(new Error('wrong root')) }]])
    await expect(run(broken, 'broken')).rejects.toThrow('wrong root')
  })
})

test('the program itself refuses an unknown name with 2', () => {
  const { status, stdout } = spawnSync(process.execPath, ['bench/main.ts', 'nothing'], { encoding: 'utf8' })
  expect(status).toBe(2)
  expect(stdout).toContain('log, proofs, anchors, money, verify, compute, api, demo, all')
})
