import { expect, it } from 'vitest'
import { startBitcoind } from '../../regtest/start-bitcoind.ts'
import { mempool, onlyAnchor, openSite } from './anchor-site.ts'
import { expectWhole } from './expect-whole.ts'
import { floodMempool } from './flood-mempool.ts'

/** bitcoind halves its mempool minimum every 12 hours, faster when the mempool is empty (CTxMemPool::GetMinFee). */
const TWO_DAYS_S = 2 * 24 * 60 * 60

it('an anchor that a full mempool threw out is made again at the day’s price, or when that has fallen', async () => {
  await using bitcoind = await startBitcoind({ extraArgs: ['-maxmempool=5'] })
  using rich = await openSite(bitcoind)
  using thrifty = await openSite(bitcoind, { policy: { ceilingSatPerKvb: 5_000n } })
  const [payer, waiter] = [rich.open(), thrifty.open()]
  for (const [site, anchorer] of [
    [rich, payer],
    [thrifty, waiter],
  ] as const) {
    site.grow(1)
    await anchorer.advance()
    site.grow(1)
  }
  const first = onlyAnchor(payer)
  const evicted = onlyAnchor(waiter)
  await floodMempool(bitcoind, first.txid ?? '')
  await floodMempool(bitcoind, evicted.txid ?? '')

  await payer.advance()
  const second = onlyAnchor(payer)
  expect(second).toMatchObject({ index: 0, size: 2, state: 'broadcast' })
  expect(second.feeSats).toBeGreaterThan(first.feeSats)
  expect(await mempool(bitcoind)).toContain(second.txid)
  await waiter.advance()
  expect(waiter.state().stalled).toMatchObject({
    code: 'ceiling_reached',
    advice: expect.stringContaining('until fees fall'),
  })
  expect(onlyAnchor(waiter)).toMatchObject({ txid: evicted.txid, state: 'stalled' })

  await bitcoind.mine(10)
  await payer.advance()
  expect(onlyAnchor(payer).txid).toBe(second.txid)
  await expectWhole(rich, payer)
  await bitcoind.rpc.call('setmocktime', Math.floor(Date.now() / 1_000) + TWO_DAYS_S)
  await waiter.advance()
  expect(waiter.state().stalled).toBeNull()
  await bitcoind.mine(1)
  await waiter.advance()
  await expectWhole(thrifty, waiter)
})
