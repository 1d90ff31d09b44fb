import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCli } from './run-cli.ts'

const simulate = (...args: string[]) => runCli('simulate', ...args)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-simulate-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('prints one JSON value, writes the chart and ends with 0 where every cheat loses', async () => {
  const svg = join(folder, 'chart.svg')
  const { exitCode, stdout } = await simulate('--runs', '1', '--json', '--svg', svg)
  const result = JSON.parse(stdout)
  expect(result.setting).toMatchObject({ floor: { numerator: '1', denominator: '100' }, maturityEpochs: 2 })
  expect(result.strategies).toHaveLength(14)
  expect(result.lowestFloor.numerator).toBe('1')
  expect(await readFile(svg, 'utf8')).toContain('Audit floor 1/100, maturity 2 epochs')
  expect(exitCode).toBe(0)
})

test('ends with 1 where a cheat pays, and says which', async () => {
  const { exitCode, stdout } = await simulate('--runs', '1', '--floor', '0/1', '--maturity', '8')
  expect(stdout).toMatch(/^trust-then-cheat .* NO /m)
  expect(stdout).toContain('Lowest floor at which every cheat loses: 1/')
  expect(exitCode).toBe(1)
})

test('shows how often the statistic convicts, and whether it keeps its promises', async () => {
  const { exitCode, stdout } = await simulate('--statistic', '--seeds', '100')
  const lines = stdout.trimEnd().split('\n')
  expect(lines).toHaveLength(6)
  expect(lines[1]).toMatch(/^honest, fails 0.3 % .* 100 .*at most 0.1% +yes$/)
  expect(lines[2]).toMatch(/^cheats in 10 %, d = 1 .* 100 .*at least 99% +yes$/)
  expect(lines[5]).toMatch(/^honest, fails 1 %, calibrated to 1 % .*–$/)
  expect(exitCode).toBe(0)
})

test.each([
  ['--floor', '2/1'],
  ['--floor', '0.01'],
  ['--floor', '1/0'],
  ['--maturity', '0'],
  ['--maturity', '1.5'],
  ['--cost', '0'],
  ['--cost', '1'],
  ['--cost', 'much'],
  ['--runs', '0'],
  ['--seeds', '1000001'],
])('%s %s is refused', async (option, value) => {
  const { exitCode, stderr } = await simulate(option, value)
  expect(stderr).toContain(`option '${option}`)
  expect(exitCode).toBe(2)
})

test('help tells what the exit code means', async () => {
  const { stdout, exitCode } = await simulate('--help')
  expect(stdout).toContain('Exit code 1 when a cheat pays')
  expect(stdout).toContain('default: 1/100')
  expect(exitCode).toBe(0)
})
