import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { replay } from '../../../src/replay/replay.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import type { Peer } from '../coordinator/peer.ts'
import { openSite } from '../coordinator/site.ts'
import { changeOpenings } from './changed-log.ts'
import { DIFFERENCES_IN_FEES } from './differences-in-fees.ts'
import { DIFFERENCES_IN_LOG } from './differences-in-log.ts'
import { DIFFERENCES_IN_MONEY } from './differences-in-money.ts'
import { DIFFERENCES_IN_WORK } from './differences-in-work.ts'
import { liveThrough, recordLog, SAMPLED_MARKET } from './recorded-log.ts'

let node: RegtestNode
let log: ReplaySource
let peers: Peer[]
beforeAll(async () => {
  node = await startBitcoind()
  await using site = await openSite(node, { subnets: [SAMPLED_MARKET] })
  peers = await liveThrough(site, node)
  // What anchors show of entries is another test's.
  log = { ...(await recordLog(site, node)), followAnchors: null }
})
afterAll(() => node.stop())

describe('the first entry that differs is named:', () => {
  test.each([...DIFFERENCES_IN_LOG, ...DIFFERENCES_IN_WORK, ...DIFFERENCES_IN_MONEY, ...DIFFERENCES_IN_FEES])(
    '%s (%s)',
    async (_, expected, change) => {
      const { source, entry } = await change(log, peers)
      const [rule, code] = expected.split(': ')
      const { ok, first } = await replay(source)
      expect(ok).toBe(false)
      expect(first).toMatchObject({ rule, code, ...(entry === null ? {} : { entry }) })
    },
  )
})

test.each([
  ['missing', 0],
  ['too many', 2],
])('an opening %s is one finding, not one for each receipt behind it', async (_, times) => {
  const { source } = await changeOpenings(log, ([first, ...rest]) => [...Array(times).fill(first), ...rest])
  const { rules } = await replay(source)
  expect(rules.find(({ name }) => name === 'openings')).toMatchObject({ failed: 1 })
})
