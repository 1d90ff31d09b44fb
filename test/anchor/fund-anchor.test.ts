import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AnchorStall } from '../../anchor/anchor-stall.ts'
import { anchorVsize, type Method } from '../../anchor/anchor-transaction.ts'
import { fundAnchor } from '../../anchor/fund-anchor.ts'
import type { AnchorPolicy } from '../../anchor/price-anchor.ts'
import { runwayBlocks } from '../../anchor/runway.ts'
import { POLICY } from './anchor-site.ts'

const rate = fc.bigInt(0n, 300_000n)

interface Case {
  method: Method
  sealSats: bigint
  coinSats: bigint | null
  spentSats: bigint
  market: Parameters<typeof fundAnchor>[0]['market']
  policy: AnchorPolicy
  /** Bumps one after the other, each replacing the one before. */
  bumps: number
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    method: fc.constantFrom('dual' as const, 'taproot' as const),
    sealSats: fc.bigInt(330n, 200_000n),
    coinSats: fc.option(fc.bigInt(330n, 200_000n)),
    spentSats: fc.bigInt(0n, 150_000n),
    market: fc.record({
      estimateSatPerKvb: fc.option(rate),
      mempoolMinSatPerKvb: fc.bigInt(1_000n, 20_000n),
      relayMinSatPerKvb: fc.bigInt(100n, 20_000n),
      incrementalSatPerKvb: fc.bigInt(0n, 5_000n),
    }),
    floorSatPerKvb: fc.bigInt(1_000n, 20_000n),
    aboveFloorSatPerKvb: rate,
    capSats: fc.bigInt(162n, 60_000n),
    dayCapSats: fc.bigInt(162n, 200_000n),
    topUpBelowBlocks: fc.option(fc.integer({ min: 0, max: 1_000 }), { nil: undefined }),
    bumps: fc.integer({ min: 1, max: 12 }),
  })
  .map(({ floorSatPerKvb, aboveFloorSatPerKvb, capSats, dayCapSats, topUpBelowBlocks, ...rest }) => ({
    ...rest,
    policy: {
      ...POLICY,
      floorSatPerKvb,
      ceilingSatPerKvb: floorSatPerKvb + aboveFloorSatPerKvb,
      capSats,
      dayCapSats,
      ...(topUpBelowBlocks === undefined ? {} : { topUpBelowBlocks }),
    },
  }))

/** The attempts at one seal, each a replacement of the one before, until the policy or the purse is in the way. */
async function attempts(of: Case) {
  const { method, sealSats, coinSats, spentSats, market, policy, bumps } = of
  const coin = coinSats === null ? null : { txid: 'ab'.repeat(32), vout: 0, valueSats: coinSats }
  const funds: Awaited<ReturnType<typeof fundAnchor>>[] = []
  let stall: AnchorStall | null = null
  while (stall === null && funds.length < bumps) {
    const replaces = funds.at(-1) ?? null
    try {
      funds.push(
        await fundAnchor({ method, sealSats, spentSats, market, policy, replaces }, async () => coin),
      )
    } catch (error) {
      if (!(error instanceof AnchorStall)) throw error
      stall = error
    }
  }
  return { funds, stall }
}

describe('fundAnchor, for any market, policy, seal and coin', () => {
  it('keeps every sum: nothing is lost, nothing is dust, no cap is passed', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (of) => {
        const { policy, spentSats, sealSats, method, market } = of
        for (const { topUp, feeSats, outputSats, vsize } of (await attempts(of)).funds) {
          expect(outputSats + feeSats).toBe(sealSats + (topUp?.valueSats ?? 0n))
          expect(outputSats >= 330n).toBe(true)
          expect(vsize).toBe(anchorVsize(method, topUp !== null))
          expect(feeSats <= policy.capSats && feeSats + spentSats <= policy.dayCapSats).toBe(true)
          expect(feeSats * 1_000n <= policy.ceilingSatPerKvb * BigInt(vsize)).toBe(true)
          expect(feeSats * 1_000n >= market.mempoolMinSatPerKvb * BigInt(vsize)).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('makes each replacement pay more in fee, by the increment for its own size, and in feerate', async () => {
    let replacements = 0
    await fc.assert(
      fc.asyncProperty(cases, async (of) => {
        const { funds } = await attempts(of)
        for (const [i, replaced] of funds.slice(0, -1).entries()) {
          const replacing = funds[i + 1]
          if (replacing === undefined) throw new Error('one less than all')
          replacements++
          const vsize = BigInt(replacing.vsize)
          expect(replacing.feeSats > replaced.feeSats).toBe(true)
          const moreSats = replacing.feeSats - replaced.feeSats
          expect(moreSats * 1_000n >= of.market.incrementalSatPerKvb * vsize).toBe(true)
          expect(replacing.feeSats * BigInt(replaced.vsize) > replaced.feeSats * vsize).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
    expect(replacements).toBeGreaterThan(100)
  })

  it('gives the same answer to the same question, and takes a coin only when it leaves more in the seal', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (of) => {
        const [once, again] = [await attempts(of), await attempts(of)]
        expect(again.funds).toEqual(once.funds)
        expect(again.stall?.code).toBe(once.stall?.code)
        const { funds: bare } = await attempts({ ...of, coinSats: null })
        const [first] = once.funds
        const alone = bare[0]
        if (first?.topUp != null && alone !== undefined) {
          expect(first.outputSats > alone.outputSats).toBe(true)
          const { topUpBelowBlocks = 0, everyBlocks } = of.policy
          expect(runwayBlocks(of.sealSats, alone.feeSats, everyBlocks)).toBeLessThan(topUpBelowBlocks)
        }
        if (first !== undefined && first.topUp === null) expect(alone).toEqual(first)
      }),
      { numRuns: 500 },
    )
  })
})
