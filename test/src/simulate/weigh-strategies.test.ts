import { describe, expect, test } from 'vitest'
import { drawAudits } from '../../../src/simulate/audit-draws.ts'
import { lowestFloor } from '../../../src/simulate/lowest-floor.ts'
import { EPOCHS, RECEIPTS_PER_EPOCH, type Setting } from '../../../src/simulate/setting.ts'
import { STRATEGIES } from '../../../src/simulate/strategies.ts'
import { unnoticedShare } from '../../../src/simulate/unnoticed-share.ts'
import { isSafe, weighStrategies } from '../../../src/simulate/weigh-strategies.ts'

const setting: Setting = {
  floor: { numerator: 1n, denominator: 100n },
  maturityEpochs: 2,
  costShare: 0.6,
  seed: 'test',
  runs: 1,
}
const NO_FLOOR = { numerator: 0n, denominator: 1n }

describe('at a floor of 1 %', () => {
  const told: [number, number][] = []
  const rows = weighStrategies(setting, (...progress) => told.push(progress))
  const row = (name: string) => rows.find(({ strategy }) => strategy === name)

  test('every strategy of the contract is played', () => {
    expect(rows.map(({ strategy }) => strategy)).toEqual([
      'honest',
      'lazy',
      'garbage',
      'cheaper-model',
      'copying',
      'burst',
      'trust-then-cheat',
      'thin-market',
      'many-keys',
      'sybil',
      'self-dealing',
      'colluding',
      'abstaining',
      'trickle',
    ])
  })

  test('every life is told of as soon as it is played', () => {
    expect(told).toEqual(STRATEGIES.map((_, at) => [at + 1, STRATEGIES.length]))
  })

  test('honest work earns its margin and its audits, and is never suspended', () => {
    const margin = EPOCHS * RECEIPTS_PER_EPOCH * 400
    expect(row('honest')?.profitMsat).toBeGreaterThan(margin)
    expect(row('honest')?.profitMsat).toBeLessThan(1.3 * margin)
    expect(row('honest')).toMatchObject({ againstHonesty: 0, suspensions: 0, deterred: null })
  })

  test('every cheat that has to lose does', () => {
    const others = rows.filter(({ deterred }) => deterred !== null)
    expect(others.map(({ strategy, deterred }) => [strategy, deterred])).toEqual(
      others.map(({ strategy }) => [strategy, true]),
    )
    expect(others).toHaveLength(11)
    expect(isSafe(setting)).toBe(true)
  })

  test('garbage costs a key in every epoch', () => {
    expect(row('garbage')?.suspensions).toBe(EPOCHS)
  })

  test('who never audits forgoes the pay for it, and nothing else', () => {
    expect(row('abstaining')?.suspensions).toBe(0)
    const margin = EPOCHS * RECEIPTS_PER_EPOCH * 400
    expect(Number(row('abstaining')?.profitMsat) / margin).toBeCloseTo(1, 1)
  })

  test('the only receipt of an epoch earns no more than any other: waiting for a thin market forgoes what honest work pays', () => {
    // Six of 24 epochs at a margin of 0.4, less one reward each; it audits nothing then either.
    expect(row('thin-market')?.againstHonesty).toBeLessThan((-6 / 24) * 0.4 + 0.001)
  })

  test('ten keys beside nine of others draw ten nineteenths of the items, and earn by them as honestly as one key does', () => {
    expect(row('many-keys')).toMatchObject({ suspensions: 0, deterred: null })
    const margin = EPOCHS * RECEIPTS_PER_EPOCH * 400
    // 5,260 items an epoch to one key's 1,000; both have the pay for audits beside it.
    const more = Number(row('many-keys')?.profitMsat) - Number(row('honest')?.profitMsat)
    expect(more / margin).toBeGreaterThan(4.1)
    expect(more / margin).toBeLessThan(4.27)
  })

  test('a trickle stays unconvicted and gains no more than the statistic leaves it', () => {
    expect(row('trickle')?.suspensions).toBe(0)
    expect(Number(row('trickle')?.againstHonesty)).toBeLessThan(unnoticedShare())
  })

  test('the same seed gives the same rows, another seed others', () => {
    expect(weighStrategies(setting)).toEqual(rows)
    expect(weighStrategies({ ...setting, seed: 'other' })).not.toEqual(rows)
  })
})

test('who cheats under ten keys is held against honest work under ten, not under one', () => {
  const rows = weighStrategies({ ...setting, costShare: 0.2 })
  const [honest, many, sybil] = ['honest', 'many-keys', 'sybil'].map((name) =>
    rows.find(({ strategy }) => strategy === name),
  )
  expect(sybil?.profitMsat).toBeGreaterThan(Number(honest?.profitMsat))
  expect(sybil?.profitMsat).toBeLessThan(Number(many?.profitMsat))
  expect(sybil?.deterred).toBe(true)
})

test('without a floor it pays to leave with garbage: a large stake draws hardly any audits', () => {
  const unaudited = { ...setting, maturityEpochs: 8, floor: NO_FLOOR }
  const rows = weighStrategies(unaudited)
  expect(rows.find(({ strategy }) => strategy === 'trust-then-cheat')?.deterred).toBe(false)
  expect(isSafe(unaudited)).toBe(false)
})

test('the lowest floor is the first at which every cheat loses', () => {
  const { floor: _, ...unknown } = { ...setting, maturityEpochs: 8 }
  const told: [number, number][] = []
  const floor = lowestFloor(unknown, (...progress) => told.push(progress))
  expect(floor).not.toBeNull()
  expect(isSafe({ ...unknown, floor: floor ?? NO_FLOOR })).toBe(true)
  expect(isSafe({ ...unknown, floor: { numerator: 1n, denominator: 10_000n } })).toBe(false)
  // One at a time but where a floor is given up, and all of 13 floors in the end.
  const counts = told.map(([done]) => done)
  expect(counts).toEqual([...new Set(counts)].sort((a, b) => a - b))
  expect(counts.slice(0, 2)).toEqual([1, 2])
  expect(new Set(told.map(([, of]) => of))).toEqual(new Set([13 * STRATEGIES.length]))
  expect(counts.at(-1)).toBe(13 * STRATEGIES.length)
})

test('a worker can cheat unconvicted in some 2.5 % of its work, not in more', () => {
  // 0.10236 / (0.10236 + 3.50656) nats, less the 0.3 % of fails that are nobody's fault.
  expect(unnoticedShare()).toBeCloseTo(0.02536, 4)
})

test('one auditor of twelve draws about a twelfth of the audits, the same every time', () => {
  const draws = drawAudits({ ...setting, floor: { numerator: 1n, denominator: 10n } }, 'seed')
  expect(draws).toHaveLength(EPOCHS)
  const all = draws.reduce((sum, draw) => sum + draw.all, 0)
  const own = draws.reduce((sum, draw) => sum + draw.own, 0)
  expect(all / (9 * EPOCHS * RECEIPTS_PER_EPOCH)).toBeCloseTo(0.1, 1)
  expect(own / all).toBeGreaterThan(1 / 16)
  expect(own / all).toBeLessThan(1 / 9)
  expect(drawAudits({ ...setting, floor: { numerator: 1n, denominator: 10n } }, 'seed')).toEqual(draws)
})

test('strategies have names of their own and honesty comes first', () => {
  const names = STRATEGIES.map(({ name }) => name)
  expect(names[0]).toBe('honest')
  expect(new Set(names).size).toBe(names.length)
})
