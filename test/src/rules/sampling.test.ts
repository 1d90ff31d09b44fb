import { hash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { auditRate, drawAuditor, isSampled } from '../../../src/rules/sampling.ts'

const beacon = Buffer.alloc(32, 0xbe)
const submissionId = Buffer.alloc(32, 0x5b)
const floor = { numerator: 1n, denominator: 50n }
const money = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

test('a worker with nothing unmatured is audited always', () => {
  expect(auditRate({ rewardMsat: 0n, unmaturedMsat: 0n, floor })).toEqual({ numerator: 1n, denominator: 1n })
  expect(auditRate({ rewardMsat: 7n, unmaturedMsat: 0n, floor })).toEqual({ numerator: 1n, denominator: 1n })
})

test.each([
  ['four times the reward over the stake', 10n, 390n, { numerator: 40n, denominator: 400n }],
  ['the floor when little is at stake', 1n, 999n, floor],
  ['always from a third of the stake on', 100n, 300n, { numerator: 1n, denominator: 1n }],
  ['less than always just below it', 100n, 301n, { numerator: 400n, denominator: 401n }],
  ['the floor for an unpaid receipt', 0n, 1000n, floor],
])('the rate is %s', (_, rewardMsat, unmaturedMsat, rate) => {
  expect(auditRate({ rewardMsat, unmaturedMsat, floor })).toEqual(rate)
})

test('the rate stays between floor and 1 and cheating never pays: rate × stake ≥ the reward unless always audited', () => {
  fc.assert(
    fc.property(money, money, (rewardMsat, unmaturedMsat) => {
      const rate = auditRate({ rewardMsat, unmaturedMsat, floor })
      expect(rate.numerator <= rate.denominator).toBe(true)
      expect(rate.numerator * floor.denominator >= floor.numerator * rate.denominator).toBe(true)
      const isAlways = rate.numerator === rate.denominator
      const lossMsat = rate.numerator * (unmaturedMsat + rewardMsat)
      expect(isAlways || lossMsat >= 4n * rewardMsat * rate.denominator).toBe(true)
    }),
  )
})

test('a receipt is sampled exactly when its draw lies below the rate', () => {
  const draw = BigInt(
    `0x${hash('sha256', Buffer.concat([beacon, submissionId, Buffer.from('00000102', 'hex')]), 'hex')}`,
  )
  const at = (numerator: bigint) =>
    isSampled({ beacon, submissionId, index: 0x102, rate: { numerator, denominator: 2n ** 256n } })
  expect(at(draw)).toBe(false)
  expect(at(draw + 1n)).toBe(true)
})

test('rate 0 samples nothing, rate 1 everything', () => {
  fc.assert(
    fc.property(bytes32, bytes32, fc.nat(65_535), (beacon, submissionId, index) => {
      expect(isSampled({ beacon, submissionId, index, rate: { numerator: 0n, denominator: 1n } })).toBe(false)
      expect(isSampled({ beacon, submissionId, index, rate: { numerator: 1n, denominator: 1n } })).toBe(true)
    }),
  )
})

test('every part of the draw matters: beacon, submission and index each change the sample', () => {
  const rate = { numerator: 1n, denominator: 2n }
  const sampleOf = (b: Uint8Array, s: Uint8Array, first: number) =>
    Array.from({ length: 64 }, (_, i) =>
      isSampled({ beacon: b, submissionId: s, index: first + i, rate }),
    ).join()
  const other = Buffer.alloc(32, 1)
  const samples = [
    sampleOf(beacon, submissionId, 0),
    sampleOf(other, submissionId, 0),
    sampleOf(beacon, other, 0),
    sampleOf(beacon, submissionId, 64),
  ]
  expect(new Set(samples).size).toBe(4)
})

test('a rate of a tenth samples about a tenth', () => {
  const rate = { numerator: 1n, denominator: 10n }
  const sampled = Array.from({ length: 10_000 }, (_, index) =>
    isSampled({ beacon, submissionId, index, rate }),
  )
  const count = sampled.filter(Boolean).length
  // Fixed inputs, so no flake: 5 standard deviations either side of 1,000.
  expect(count).toBeGreaterThan(850)
  expect(count).toBeLessThan(1150)
})

const candidates = Array.from({ length: 12 }, (_, i) => Buffer.alloc(32, i + 1))
const receipt = { beacon, submissionId, index: 0 }

test('the rounds draw every candidate, each once, then nobody', () => {
  const drawn = candidates.map((_, round) => drawAuditor({ ...receipt, round, candidates }))
  expect(drawAuditor({ ...receipt, round: candidates.length, candidates })).toBeNull()
  const keys = drawn.map((key) => key?.[0])
  expect(keys.toSorted((a, b) => Number(a) - Number(b))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
})

test('the order in which candidates are listed plays no part', () => {
  for (const round of [0, 1, 2]) {
    const drawn = drawAuditor({ ...receipt, round, candidates })
    expect(drawAuditor({ ...receipt, round, candidates: candidates.toReversed() })).toEqual(drawn)
  }
})

test('nobody is drawn from nobody', () => {
  expect(drawAuditor({ ...receipt, round: 0, candidates: [] })).toBeNull()
})

test('the draw spreads audits over the candidates', () => {
  const counts = new Map<number, number>()
  for (let index = 0; index < 1200; index++) {
    const first = drawAuditor({ ...receipt, index, round: 0, candidates })?.[0] ?? -1
    counts.set(first, (counts.get(first) ?? 0) + 1)
  }
  expect(counts.size).toBe(12)
  expect(Math.min(...counts.values())).toBeGreaterThan(50)
})

test('malformed parts are bugs', () => {
  const rate = { numerator: 1n, denominator: 2n }
  expect(() => isSampled({ ...receipt, beacon: Buffer.alloc(31), rate })).toThrow('beacon')
  expect(() => isSampled({ ...receipt, submissionId: Buffer.alloc(33), rate })).toThrow('submission')
  expect(() => isSampled({ ...receipt, index: 2 ** 32, rate })).toThrow(RangeError)
  expect(() => isSampled({ ...receipt, index: -1, rate })).toThrow(RangeError)
  expect(() => isSampled({ ...receipt, rate: { numerator: 2n, denominator: 1n } })).toThrow('rate')
  expect(() => isSampled({ ...receipt, rate: { numerator: 0n, denominator: 0n } })).toThrow('rate')
  expect(() => auditRate({ rewardMsat: -1n, unmaturedMsat: 0n, floor })).toThrow('negative')
  expect(() => auditRate({ rewardMsat: 0n, unmaturedMsat: -1n, floor })).toThrow('negative')
  expect(() => drawAuditor({ ...receipt, round: -1, candidates })).toThrow('round')
  expect(() => drawAuditor({ ...receipt, round: 0, candidates: [Buffer.alloc(33)] })).toThrow('key')
})
