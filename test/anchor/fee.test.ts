import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anchorFee, type FeeQuestion } from '../../anchor/fee.ts'

const QUESTION: FeeQuestion = {
  estimateSatPerKvb: null,
  mempoolMinSatPerKvb: 1_000n,
  relayMinSatPerKvb: 1_000n,
  incrementalSatPerKvb: 1_000n,
  floorSatPerKvb: 1_000n,
  ceilingSatPerKvb: 100_000n,
  capSats: 50_000n,
  vsize: 162,
}

describe('anchorFee', () => {
  const cases: [string, Partial<FeeQuestion>, bigint][] = [
    ['takes the relay minimum where the node has no estimate', {}, 162n],
    ['follows the estimate', { estimateSatPerKvb: 12_345n }, 2_000n],
    ['rounds up to the next satoshi', { estimateSatPerKvb: 1_001n }, 163n],
    [
      'follows a mempool minimum above the estimate',
      { estimateSatPerKvb: 2_000n, mempoolMinSatPerKvb: 3_000n },
      486n,
    ],
    ['follows a relay minimum above the floor', { relayMinSatPerKvb: 5_000n }, 810n],
    ['keeps to the floor', { floorSatPerKvb: 2_000n }, 324n],
    ['keeps to the ceiling when the estimate is above it', { estimateSatPerKvb: 900_000n }, 16_200n],
    ['keeps to the cap when the estimate is above it', { estimateSatPerKvb: 90_000n, capSats: 900n }, 900n],
    ['pays all that the ceiling allows', { mempoolMinSatPerKvb: 100_000n }, 16_200n],
    ['pays all that the cap allows', { mempoolMinSatPerKvb: 2_000n, capSats: 324n }, 324n],
    [
      'pays for what it evicts and one satoshi per vbyte more',
      { replaces: { feeSats: 162n, vsize: 162 } },
      324n,
    ],
    ['pays for descendants too', { replaces: { feeSats: 2_500n, vsize: 162 } }, 2_662n],
    [
      'beats the feerate of a smaller transaction',
      { vsize: 220, replaces: { feeSats: 8_100n, vsize: 162 } },
      11_001n,
    ],
  ]
  it.each(cases)('%s', (_title, change, feeSats) => {
    expect(anchorFee({ ...QUESTION, ...change })).toEqual({ kind: 'fee', feeSats })
  })

  it('stalls when the node asks for more than the ceiling', () => {
    expect(anchorFee({ ...QUESTION, mempoolMinSatPerKvb: 100_001n })).toEqual({
      kind: 'stalled',
      reason: 'ceiling_reached',
      neededSats: 16_201n,
    })
  })

  it('stalls when a replacement needs more than the cap, and says how much', () => {
    expect(anchorFee({ ...QUESTION, capSats: 323n, replaces: { feeSats: 162n, vsize: 162 } })).toEqual({
      kind: 'stalled',
      reason: 'cap_reached',
      neededSats: 324n,
    })
  })

  it('refuses a floor above the ceiling', () => {
    expect(() => anchorFee({ ...QUESTION, floorSatPerKvb: 100_001n })).toThrow(/floor/)
  })
})

const rate = fc.bigInt(0n, 1_000_000n)
const question: fc.Arbitrary<FeeQuestion> = fc
  .record({
    estimateSatPerKvb: fc.option(rate),
    mempoolMinSatPerKvb: rate,
    relayMinSatPerKvb: rate,
    incrementalSatPerKvb: rate,
    capSats: fc.bigInt(0n, 200_000n),
    vsize: fc.integer({ min: 65, max: 100_000 }),
    floorSatPerKvb: rate,
    aboveFloorSatPerKvb: rate,
    replaced: fc.option(
      fc.record({ feeSats: fc.bigInt(0n, 200_000n), vsize: fc.integer({ min: 65, max: 100_000 }) }),
    ),
  })
  .map(({ aboveFloorSatPerKvb, replaced, ...rest }) => ({
    ...rest,
    ceilingSatPerKvb: rest.floorSatPerKvb + aboveFloorSatPerKvb,
    ...(replaced ? { replaces: replaced } : {}),
  }))

describe('anchorFee, for any market', () => {
  it('never exceeds the ceiling or the cap, and never undercuts what the node accepts', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const answer = anchorFee(asked)
        if (answer.kind === 'stalled') return
        const milli = answer.feeSats * 1000n
        const vsize = BigInt(asked.vsize)
        expect(answer.feeSats <= asked.capSats).toBe(true)
        expect(milli <= asked.ceilingSatPerKvb * vsize).toBe(true)
        expect(milli >= asked.mempoolMinSatPerKvb * vsize && milli >= asked.relayMinSatPerKvb * vsize).toBe(
          true,
        )
      }),
    )
  })

  it('makes a replacement pay more, in fee by its own increment and in feerate', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const answer = anchorFee(asked)
        if (answer.kind === 'stalled' || asked.replaces === undefined) return
        const { feeSats, vsize } = asked.replaces
        expect(answer.feeSats > feeSats).toBe(true)
        expect((answer.feeSats - feeSats) * 1000n >= asked.incrementalSatPerKvb * BigInt(asked.vsize)).toBe(
          true,
        )
        expect(answer.feeSats * BigInt(vsize) > feeSats * BigInt(asked.vsize)).toBe(true)
      }),
    )
  })

  it('stalls exactly when the needed fee is above the ceiling or the cap', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const answer = anchorFee(asked)
        const unlimited = anchorFee({
          ...asked,
          estimateSatPerKvb: 0n,
          floorSatPerKvb: 0n,
          ceilingSatPerKvb: 10n ** 12n,
          capSats: 10n ** 15n,
        })
        if (unlimited.kind === 'stalled') throw new Error('no limit is left to stall at')
        const needed = unlimited.feeSats
        const ceilingSats = (asked.ceilingSatPerKvb * BigInt(asked.vsize)) / 1000n
        expect(answer.kind === 'stalled').toBe(needed > ceilingSats || needed > asked.capSats)
        if (answer.kind === 'stalled') expect(answer.neededSats).toBe(needed)
      }),
    )
  })
})
