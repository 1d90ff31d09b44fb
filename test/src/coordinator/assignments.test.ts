import { afterAll, beforeAll, expect, test } from 'vitest'
import { taggedHash } from '../../../compute/work/tagged-hash.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { assignItem } from '../../../src/rules/assignment.ts'
import { openSite, type Site } from './site.ts'
import { tinyInput, tinyMarket } from './tiny-market.ts'

/** As in the site's calendar. */
const FINAL_DEPTH = 2
const PER_EPOCH = 10

let node: RegtestNode
let site: Site
beforeAll(async () => {
  node = await startBitcoind()
  const items = Array.from({ length: 24 }, (_, item) => tinyInput(item))
  site = await openSite(node, { subnets: [tinyMarket({ dataset: { items, perEpoch: PER_EPOCH } })] })
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await node.stop()
})

interface Row {
  model: Uint8Array
  item: bigint
  input: Uint8Array
  epoch: bigint | null
  assignee: Uint8Array | null
}

test('who works on what follows from a block hash and the log alone; auditor and latecomers get nothing', async () => {
  const first = await site.peer()
  const second = await site.peer()
  const operator = await site.auditor()
  await site.anchorAll()
  await site.mineTo(site.startHeight - FINAL_DEPTH)
  // The beacon's block is mined: a key made now could have been made to fit it.
  const late = await site.peer()
  await site.mineTo(site.startHeight - 1)

  const rows = site.coordinator().books.db.prepare<[], Row>('SELECT * FROM item ORDER BY item').all()
  const hash = await node.rpc.call('getblockhash', site.startHeight - FINAL_DEPTH)
  const beacon = Buffer.from(String(hash), 'hex').reverse()
  const expected = rows.slice(0, PER_EPOCH).map(({ model, input }) => {
    const item = taggedHash('assay/item', model, input)
    const assignee = assignItem({ beacon, subnet: 'tiny', item, workers: [first.key, second.key] })
    return Buffer.from(assignee ?? []).toString('hex')
  })
  const assigned = rows.filter(({ epoch }) => epoch === 0n)
  expect(assigned.map(({ item }) => Number(item))).toEqual(Array.from({ length: PER_EPOCH }, (_, i) => i))
  expect(assigned.map(({ assignee }) => Buffer.from(assignee ?? []).toString('hex'))).toEqual(expected)

  const leased = [await first.lease(), await second.lease()].map(({ length }) => length)
  expect(leased).toEqual([first, second].map(({ hex }) => expected.filter((key) => key === hex).length))
  expect(await operator.lease()).toEqual([])
  expect(await late.lease()).toEqual([])

  // In the next epoch the latecomer is one of three, and what is leased is not put up again.
  await site.mineUntil('epoch 1', () => site.status().epoch === 1)
  const next = site
    .coordinator()
    .books.db.prepare<[], Row>('SELECT * FROM item WHERE epoch = 1 ORDER BY item')
    .all()
  expect(next.map(({ item }) => Number(item))).toEqual(
    Array.from({ length: PER_EPOCH }, (_, i) => i + PER_EPOCH),
  )
  const keys = new Set([first.hex, second.hex, late.hex])
  expect(next.every(({ assignee }) => keys.has(Buffer.from(assignee ?? []).toString('hex')))).toBe(true)
})

test('others are answered while items are dealt, however many keys there are', async () => {
  const { assignments } = site.house().desks
  let answered = false
  setImmediate(() => {
    answered = true
  })
  const tip = site.startHeight + 10 * site.config.epoch.blocks - 1
  const count = await assignments.assignDue(tip, site.anchored(), async () => Buffer.alloc(32, 1))
  expect(count).toBeGreaterThan(0)
  expect(answered).toBe(true)
})
