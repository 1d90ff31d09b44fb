import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { replay } from '../../../src/replay/replay.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import { openSite } from '../coordinator/site.ts'
import { liveThrough, type People, recordLog, SAMPLED_MARKET } from './recorded-log.ts'

let node: RegtestNode
let honestLog: ReplaySource
let people: People
beforeAll(async () => {
  node = await startBitcoind()
  await using site = await openSite(node, { subnets: [SAMPLED_MARKET] })
  people = await liveThrough(site)
  honestLog = await recordLog(site, node)
})
afterAll(() => node.stop())

test('an honest log follows from its public data, every rule of it', async () => {
  const report = await replay(honestLog)
  console.log(JSON.stringify(report, null, 1), people.honest.hex)
  expect(report).toMatchObject({ ok: true, first: null, missedAudits: [] })
  for (const rule of report.rules) {
    expect(rule).toMatchObject({ failed: 0, skipped: 0 })
    expect(rule.checked, rule.name).toBeGreaterThan(0)
  }
})
