import { rmSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { restoreBackup } from '../../../src/backup/restore-backup.ts'
import { takeBackup } from '../../../src/backup/take-backup.ts'
import { openCoordinator } from '../../../src/coordinator/coordinator.ts'
import { reconcile } from '../../../src/coordinator/reconcile.ts'
import { statusOf } from '../../../src/coordinator/status.ts'
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

  const open = async (backup: typeof newest) => {
    await restoreBackup(backup)
    // At another price it would make another transaction of the same coin.
    const anchor = { ...site.config.anchor, floorSatPerKvb: 7_000n }
    const config = { ...site.config, anchor, dataDir: backup.to }
    return openCoordinator({ config, keys: site.keys, rpc: node.rpc, onEvent: onProgress })
  }
  {
    await using old = await open(hourOld)
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
  await using restored = await open(newest)
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
