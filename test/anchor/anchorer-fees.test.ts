import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { FeeMarket } from '../../anchor/fee.ts'
import { BLOCKS_PER_DAY } from '../../anchor/price-anchor.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { mineEmpty, openSite, type Site } from './anchor-site.ts'
import { expectWhole } from './expect-whole.ts'

const LIMITS = { ceilingSatPerKvb: 12_000n, capSats: 1_500n, dayCapSats: 4_000n }

let bitcoind: RegtestNode

beforeAll(async () => {
  bitcoind = await startBitcoind()
})

afterAll(() => bitcoind?.stop())

interface Row {
  id: number
  parent: number | null
  state: string
  fee_sats: number
  output_sats: number
  vsize: number
  height: number | null
}

/** Every attempt that there ever was, oldest first. */
function attempts({ db }: Site): Row[] {
  const query = db.prepare<[], Row>('SELECT * FROM anchor_attempt ORDER BY id')
  return query.safeIntegers(false).all()
}

function expectPaidByTheRules(rows: readonly Row[]): void {
  for (const [i, { parent, fee_sats, output_sats, vsize }] of rows.entries()) {
    expect(fee_sats).toBeLessThanOrEqual(Number(LIMITS.capSats))
    expect(fee_sats * 1_000).toBeLessThanOrEqual(Number(LIMITS.ceilingSatPerKvb) * vsize)
    expect(output_sats).toBeGreaterThanOrEqual(330)
    const replaced = rows.slice(0, i).findLast((row) => row.parent === parent)
    if (replaced === undefined) continue
    expect(fee_sats - replaced.fee_sats).toBeGreaterThanOrEqual(vsize) // 1 sat/vB, the node's increment
    expect(fee_sats * replaced.vsize).toBeGreaterThan(replaced.fee_sats * vsize)
  }
  const mined = rows.filter(({ state }) => state === 'mined' || state === 'final')
  for (const { height } of mined) {
    const day = mined.filter(
      (row) => (row.height ?? 0) <= (height ?? 0) && (row.height ?? 0) > (height ?? 0) - BLOCKS_PER_DAY,
    )
    expect(day.reduce((sum, row) => sum + row.fee_sats, 0)).toBeLessThanOrEqual(Number(LIMITS.dayCapSats))
  }
}

/** That surely makes replacements, which the drawn ones may not. */
const EMPTY_BLOCKS = Array(6).fill({ act: 'mine empty', estimateSatPerKvb: null })

const step = fc.record({
  act: fc.constantFrom('mine', 'mine empty', 'mine empty', 'reorg', 'a day'),
  estimateSatPerKvb: fc.option(fc.bigInt(0n, 20_000n)),
})

it('whatever the market does, the node takes each replacement, and no limit is ever passed', async () => {
  let replacements = 0
  const stalls = new Set<string>()
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('dual' as const, 'taproot' as const),
      fc.array(step, { minLength: 6, maxLength: 14 }),
      async (method, steps) => {
        using site = await openSite(bitcoind, { method, sealSats: 3_000n, policy: LIMITS })
        for (let coins = 0; coins < 2; coins++) site.topUps.push(await site.fund(2_500n))
        await bitcoind.mine(5)
        let estimateSatPerKvb: FeeMarket['estimateSatPerKvb'] = null
        const anchorer = site.open({
          node: {
            ...site.node,
            feeMarket: async (target) => ({ ...(await site.node.feeMarket(target)), estimateSatPerKvb }),
          },
        })
        const { height: start } = await site.node.chain()
        for (const { act, ...market } of steps) {
          estimateSatPerKvb = market.estimateSatPerKvb
          site.grow(1)
          anchorer.request()
          await anchorer.advance()
          const before = attempts(site)
          await anchorer.advance()
          expect(attempts(site)).toEqual(before)
          const { stalled } = anchorer.state()
          if (stalled !== null) stalls.add(stalled.code)
          const { height } = await site.node.chain()
          if (act === 'mine') await bitcoind.mine(1)
          if (act === 'mine empty') await mineEmpty(bitcoind)
          if (act === 'a day') await bitcoind.mine(BLOCKS_PER_DAY)
          if (act === 'reorg' && height > start) await bitcoind.reorg(Math.min(2, height - start))
          await anchorer.advance()
          expectPaidByTheRules(attempts(site))
        }
        replacements += attempts(site).length - anchorer.anchors().length
        // Fees fall, a day passes, money comes: it goes on by itself.
        estimateSatPerKvb = null
        site.topUps.push(await site.fund(50_000n))
        await bitcoind.mine(BLOCKS_PER_DAY)
        for (let round = 0; round < 3; round++) {
          await anchorer.advance()
          await bitcoind.mine(1)
        }
        await anchorer.advance()
        expect(anchorer.state().stalled).toBeNull()
        expectPaidByTheRules(attempts(site))
        await expectWhole(site, anchorer)
      },
    ),
    { numRuns: 6, examples: [['dual', EMPTY_BLOCKS]] },
  )
  expect(replacements).toBeGreaterThan(0)
  expect(stalls).not.toContain('refused')
})
