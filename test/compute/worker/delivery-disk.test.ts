import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseReceipt } from '../../../compute/work/receipt.ts'
import { newWorkerKey } from '../../../compute/work/worker-key.ts'
import { toHex } from '../work/read-vector.ts'
import { type DeliveryPeer, openDeliveryPeer } from './delivery-peer.ts'
import { finishedRun } from './finished-run.ts'
import { openDelivery } from './open-delivery.ts'

function open({ peer, path }: DeliveryPeer, o: Pick<Parameters<typeof openDelivery>[0], 'aroundSync'> = {}) {
  return openDelivery({ url: peer.url, path, secretKey: newWorkerKey(), onEvent: () => undefined, ...o })
}

test('hands over a result and submits its receipt while the disk is still at work', async () => {
  await using site = await openDeliveryPeer()
  const { peer } = site
  const [job] = peer.grant(1)
  const { promise: synced, resolve: sync } = Promise.withResolvers<void>()
  const delivery = open(site, { aroundSync: () => synced })
  const running = delivery.run()
  delivery.add(finishedRun(job?.id ?? ''))
  await peer.until(() => peer.submissions.length === 1)
  const sent = peer.requests.map(({ path }) => path)
  expect(['/v1/results', '/v1/submissions'].map((path) => sent.filter((one) => one === path).length)).toEqual(
    [1, 1],
  )
  delivery.close()
  sync()
  await running
})

test('brings a result to the disk at once, whether the coordinator answers or not', async () => {
  await using site = await openDeliveryPeer()
  const { peer } = site
  const [job] = peer.grant(1)
  const { promise: outage, resolve: endOutage } = Promise.withResolvers<void>()
  peer.state.intercept = () => outage
  const [atStart, forResult] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const waited = [atStart, forResult]
  const delivery = open(site, { aroundSync: (sync) => sync().then(() => waited.shift()?.resolve()) })
  const running = delivery.run()
  await atStart.promise
  delivery.add(finishedRun(job?.id ?? ''))
  await forResult.promise
  expect(delivery.backlog().receipts).toBe(1)
  endOutage()
  delivery.close()
  await running
  const receipts = peer.submissions.flatMap((submission) => submission.receipts)
  expect(receipts.map((receipt) => toHex(parseReceipt(receipt).job))).toEqual([job?.id])
})

test('ends when the disk does not take the spool', async () => {
  await using site = await openDeliveryPeer()
  const delivery = open(site)
  rmSync(`${site.path}-wal`)
  await expect(delivery.run()).rejects.toMatchObject({ name: 'SpoolError', code: 'spool_unwritable' })
})

test('has no room for 8,192 receipts, be they on the disk or on their way there', async () => {
  await using site = await openDeliveryPeer()
  const delivery = open(site)
  for (let i = 0; i < 8_191; i++) delivery.add(finishedRun('00'.repeat(32)))
  expect(delivery.hasRoom()).toBe(true)
  delivery.add(finishedRun('00'.repeat(32)))
  expect(delivery.hasRoom()).toBe(false)
  delivery.flush()
  expect(delivery.backlog().receipts).toBe(8_192)
  expect(delivery.hasRoom()).toBe(false)
})
