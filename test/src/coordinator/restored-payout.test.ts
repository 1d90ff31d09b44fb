import { rmSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import type { BitcoinRpc } from '../../../anchor/rpc.ts'
import { RpcError } from '../../../anchor/rpc-error.ts'
import { startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { restoreBackup } from '../../../src/backup/restore-backup.ts'
import { takeBackup } from '../../../src/backup/take-backup.ts'
import { openCoordinator } from '../../../src/coordinator/coordinator.ts'
import { reconcile } from '../../../src/coordinator/reconcile.ts'
import { statusOf } from '../../../src/coordinator/status.ts'
import { openRequester } from './paying-requester.ts'
import { worksOf } from './peer.ts'
import { openSite, type Site } from './site.ts'

const onProgress = () => undefined

/** A backup of a running site, and a folder to restore it into. */
async function back(site: Site, name: string) {
  const { dataDir, network, origin } = site.config
  const [configFile, out, restored] = [
    `${dataDir}-${name}.toml`,
    `${dataDir}-${name}`,
    `${dataDir}-${name}-restored`,
  ]
  onTestFinished(() => {
    for (const path of [configFile, out, restored]) rmSync(path, { recursive: true, force: true })
  })
  writeFileSync(configFile, 'the backup keeps it as it is')
  await takeBackup({ dataDir, configFile, network, origin, out, withKeystore: false, onProgress })
  return { from: out, to: restored, onProgress }
}

/** A coordinator over what was backed up. */
async function open({ config, keys }: Site, rpc: BitcoinRpc, backup: Awaited<ReturnType<typeof back>>) {
  await restoreBackup(backup)
  // At another price it would make another transaction of the same coin.
  const anchor = { ...config.anchor, floorSatPerKvb: 7_000n }
  return openCoordinator({
    config: { ...config, anchor, dataDir: backup.to },
    keys,
    rpc,
    onEvent: onProgress,
  })
}

test('a payout that was out already is paid once: by what is restored from after the last anchor, not from before it', async () => {
  await using node = await startBitcoind()
  await using site = await openSite(node)
  const [worker, operator] = await site.begin(1)
  if (worker === undefined || operator === undefined) throw new Error('too few peers')
  await worksOf(worker.work())
  const payout = () => site.status().payouts[0]
  const until = (what: string, done: () => boolean) => site.mineAudited([operator], what, done)

  await until('settled rewards', () =>
    site.status().epochs.some(({ accruedMsat }) => (accruedMsat ?? 0n) > 0n),
  )
  const hourOld = await back(site, 'hour-old')
  await until('an anchored intent', () => payout()?.state === 'pinned')
  const newest = await back(site, 'newest')
  const anchors = site.house().anchorer.anchors().length
  await until('the payout in the mempool', () => payout()?.state === 'broadcast')
  expect(site.house().anchorer.anchors()).toHaveLength(anchors)
  const txid = payout()?.txid
  expect(await node.rpc.call('getrawmempool')).toContain(txid)
  await site.close()

  {
    await using old = await open(site, node.rpc, hourOld)
    const entries = old.books.log.size()
    for (let block = 0; block < 3; block += 1) {
      await old.kick()
      await node.mine(1)
    }
    await old.kick()
    expect(statusOf(old).open?.halted).toMatch(/^database_old: /)
    expect(statusOf(old).open?.payouts).toEqual([])
    expect(old.books.log.size()).toBe(entries)
  }
  await using restored = await open(site, node.rpc, newest)
  for (let block = 0; block < 6; block += 1) {
    await restored.kick()
    await node.mine(1)
  }
  await restored.kick()
  expect(statusOf(restored).open).toMatchObject({ halted: null, payouts: [{ state: 'settled', txid }] })
  expect(await site.satsOnChain(worker.address)).toBe(57_000n)
  const house = restored.house()
  if (house === null) throw new Error('the log is not open')
  expect(await reconcile(restored, house)).toMatchObject({ ok: true, inconsistent: [] })
})

test.each([
  ['in the first round', false],
  ['once its block can be read', true],
])(
  'a payment of long ago is taken for its own %s, and its change for no deposit',
  async (_when, isPruned) => {
    await using node = await startBitcoind()
    await using site = await openSite(node)
    const acme = await openRequester(site, 'acme')
    await node.fund(acme.depositAddress, 20_000n)
    await site.begin(0)
    expect((await acme.withdraw('20000000')).status).toBe(202)
    const payout = () => site.status().payouts[0]
    await site.mineUntil('an anchored intent', () => payout()?.state === 'pinned')
    const backup = await back(site, 'old')
    const anchors = site.house().anchorer.anchors().length
    await site.mineUntil('the payout in the mempool', () => payout()?.state === 'broadcast')
    expect(site.house().anchorer.anchors()).toHaveLength(anchors)
    const txid = payout()?.txid
    expect(await node.rpc.call('getrawmempool')).toContain(txid)
    await site.close()
    await node.mine(300)

    const blocks = { arePruned: isPruned }
    const rpc: BitcoinRpc = {
      ...node.rpc,
      async call(method, ...params) {
        if (blocks.arePruned && method === 'getblock' && params[1] === 0) {
          throw new RpcError('rpc_refused', 'Block not available (pruned data)', { sent: 'yes', rpcCode: -1 })
        }
        return node.rpc.call(method, ...params)
      },
    }
    await using restored = await open(site, rpc, backup)
    const deposits = () => restored.books.db.prepare('SELECT txid, vout FROM deposit').all()
    const before = deposits()
    if (isPruned) {
      await restored.kick()
      const height = await node.rpc.call('getblockcount')
      expect(statusOf(restored)).toMatchObject({ height, error: null })
      const trouble = expect.stringContaining(`block ${height} is pruned`)
      expect(statusOf(restored).open).toMatchObject({ payoutTrouble: trouble, payouts: [{ trouble }] })
      expect(deposits()).toEqual(before)
      blocks.arePruned = false
    }
    await restored.kick()
    expect(statusOf(restored).open).toMatchObject({
      halted: null,
      payoutTrouble: null,
      payouts: [{ state: 'settled', txid, paidSats: 20_000n }],
    })
    expect(deposits()).toEqual(before)
    expect(await site.satsOnChain(acme.refundAddress)).toBe(20_000n)
    const house = restored.house()
    if (house === null) throw new Error('the log is not open')
    expect(await reconcile(restored, house)).toMatchObject({ ok: true, inconsistent: [] })
  },
)
