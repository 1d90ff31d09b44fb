import { expect, test } from 'vitest'
import { percent, renderChart } from '../../../src/simulate/chart.ts'
import type { StrategyRow } from '../../../src/simulate/weigh-strategies.ts'

const row = (strategy: string, againstHonesty: number): StrategyRow => ({
  strategy,
  what: `${strategy} & <co>`,
  profitMsat: 1,
  againstHonesty,
  suspensions: 0,
  deterred: null,
})

const barsOf = (svg: string) =>
  [...svg.matchAll(/<rect x="([\d.]+)" y="\d+" width="([\d.]+)" height="\d+" fill="(#\w+)">/g)].map(
    ([, x, width, colour]) => ({ from: Number(x), to: Number(x) + Number(width), colour }),
  )

test('losses stand left of the line, gains right of it in another colour, nothing at no gain', () => {
  const svg = renderChart('title', [row('loses', -0.5), row('even', 0), row('gains', 0.25)])
  const line = Number(/<line x1="([\d.]+)"/.exec(svg)?.[1])
  const [loses, even, gains] = barsOf(svg)
  expect(loses?.to).toBeCloseTo(line, 0)
  expect(even).toMatchObject({ from: line, to: line })
  expect(gains?.from).toBeCloseTo(line, 0)
  expect(gains?.colour).not.toBe(loses?.colour)
  // Lengths are to scale.
  expect((line - Number(loses?.from)) / (Number(gains?.to) - line)).toBeCloseTo(2, 1)
})

test('all bars lie inside the picture', () => {
  for (const values of [[-1, -0.2], [3, 0.1], [0]]) {
    const svg = renderChart(
      'title',
      values.map((value, at) => row(`s${at}`, value)),
    )
    for (const { from, to } of barsOf(svg)) {
      expect(from).toBeGreaterThanOrEqual(190)
      expect(to).toBeLessThanOrEqual(810)
    }
  }
})

test('text is escaped', () => {
  const svg = renderChart('a < b & "c"', [row('x', -1)])
  expect(svg).toContain('a &#60; b &#38; &#34;c&#34;')
  expect(svg).toContain('x &#38; &#60;co&#62;')
})

test.each([
  [0, '0.0%'],
  [-0.0001, '0.0%'],
  [0.0104, '1.0%'],
  [-0.584, '-58.4%'],
])('%f is shown as %s', (share, text) => {
  expect(percent(share)).toBe(text)
})
