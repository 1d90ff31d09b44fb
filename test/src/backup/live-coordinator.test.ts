import { rmSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { restoreBackup } from '../../../src/backup/restore-backup.ts'
import { takeBackup } from '../../../src/backup/take-backup.ts'
import { openCoordinator } from '../../../src/coordinator/coordinator.ts'
import { reconcile } from '../../../src/coordinator/reconcile.ts'
import { statusOf } from '../../../src/coordinator/status.ts'
import { openSite } from '../coordinator/site.ts'

test('the backup of a running coordinator carries on where that one stopped, to the satoshi', async () => {
  await using node = await startBitcoind()
  await using site = await openSite(node)
  const [worker] = await site.begin(1)
  await worker?.work()
  await site.anchorAll()
  const { config, keys } = site
  const configFile = `${config.dataDir}.toml`
  const out = `${config.dataDir}-backup`
  const dataDir = `${config.dataDir}-restored`
  onTestFinished(() => {
    for (const path of [configFile, out, dataDir]) rmSync(path, { recursive: true, force: true })
  })
  writeFileSync(configFile, 'the backup keeps it as it is')
  const { network, origin } = config
  const onProgress = () => undefined
  const taken = await takeBackup({
    dataDir: config.dataDir,
    configFile,
    network,
    origin,
    out,
    withKeystore: false,
    onProgress,
  })
  const before = statusOf(site.coordinator())
  expect(taken.log.size).toBe(before.log.size)
  await site.close()

  await restoreBackup({ from: out, to: dataDir, onProgress })
  const failures: unknown[] = []
  await using restored = await openCoordinator({
    config: { ...config, dataDir },
    keys,
    rpc: node.rpc,
    onEvent: (event) => event.kind === 'failed' && failures.push(event.error),
  })
  await restored.kick()
  expect(statusOf(restored)).toEqual(before)
  const house = restored.house()
  if (house === null) throw new Error('the log is not open')
  for (let block = 0; block < 4; block += 1) {
    house.anchorer.request()
    await restored.kick()
    await node.mine(1)
    await restored.kick()
  }
  expect(failures).toEqual([])
  expect(house.anchorer.state().stalled).toBe(null)
  expect((await reconcile(restored, house)).ok).toBe(true)
})
