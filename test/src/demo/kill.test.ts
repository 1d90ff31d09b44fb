import { expect, test } from 'vitest'
import type { DemoSummary } from '../../../src/demo/demo-event.ts'
import type { Moment } from '../../../src/demo/drive-blocks.ts'
import { runDemo } from '../../../src/demo/run-demo.ts'

/**
 * Which occurrence of each moment ends in SIGKILL. `mined` comes once for each block, before the coordinator has judged it: that
 * is while it anchors, draws audits, settles, plans, signs and broadcasts payouts.
 */
const KILLED: Readonly<Record<Moment, ReadonlySet<number>>> = {
  asking: new Set([0, 3]),
  worked: new Set([0, 3]),
  mined: new Set([2, 27, 50, 67, 75, 76, 82, 83, 84, 90, 104]),
}

function failed({ checks }: DemoSummary): string[] {
  return checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`)
}

test('a coordinator killed again and again loses no acknowledged receipt and pays nobody twice', async () => {
  const seen: Record<Moment, number> = { asking: 0, worked: 0, mined: 0 }
  let kills = 0
  const summary = await runDemo({
    onEvent: () => undefined,
    async onMoment(moment, site) {
      if (!KILLED[moment].has(seen[moment]++)) return
      kills += 1
      await site.killCoordinator()
    },
  })
  expect(kills).toBeGreaterThanOrEqual(15)
  expect(failed(summary)).toEqual([])
  expect(summary.payouts.length).toBeGreaterThan(0)
})
