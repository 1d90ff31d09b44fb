import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectRpc } from '../../../anchor/rpc.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { addAnchorRecover } from '../../../src/cli/commands/anchor-recover.ts'
import type { Config } from '../../../src/config/config-schema.ts'
import { loadConfig } from '../../../src/config/load-config.ts'
import { parseConfig } from '../../../src/config/parse-config.ts'
import { renderConfig } from '../../../src/config/render-config.ts'
import { type Coordinator, openCoordinator } from '../../../src/coordinator/coordinator.ts'
import { openSiteDatabase } from '../../../src/coordinator/migrations.ts'
import { createKeystore } from '../../../src/keystore/create-keystore.ts'
import { openKeystore } from '../../../src/keystore/open-keystore.ts'

const PASSPHRASE = 'a passphrase of the test'
/** Tests say when the chain is looked at. */
const NEVER_POLL_MS = '600000'

let bitcoind: RegtestNode
let folder: string
let configFile: string
let config: Config

beforeAll(async () => {
  bitcoind = await startBitcoind()
  folder = mkdtempSync(join(tmpdir(), 'assay-recover-'))
  configFile = join(folder, 'assay.toml')
  const flags = {
    network: 'regtest',
    dataDir: folder,
    origin: 'test.example/log',
    'bitcoind.url': bitcoind.rpcUrl,
    'bitcoind.cookieFile': bitcoind.cookieFile,
    'bitcoind.pollMs': NEVER_POLL_MS,
    'epoch.startHeight': '500',
  }
  writeFileSync(configFile, renderConfig(parseConfig('', { flags })))
  writeFileSync(join(folder, 'passphrase'), PASSPHRASE)
  config = loadConfig({ file: configFile, env: {} })
  await createKeystore(join(folder, 'keystore.json'), {
    passphrase: PASSPHRASE,
    network: 'regtest',
    scryptN: 2 ** 14,
  })
})

afterAll(async () => {
  await bitcoind?.stop()
  rmSync(folder, { recursive: true })
})

async function withCoordinator<T>(use: (coordinator: Coordinator) => Promise<T>): Promise<T> {
  const keys = await openKeystore(join(folder, 'keystore.json'), {
    passphrase: PASSPHRASE,
    network: 'regtest',
  })
  const rpc = connectRpc({ url: bitcoind.rpcUrl, cookieFile: bitcoind.cookieFile })
  try {
    await using coordinator = await openCoordinator({ config, keys, rpc, onEvent: () => {} })
    return await use(coordinator)
  } finally {
    rpc.close()
  }
}

async function recover(...more: string[]): Promise<void> {
  const program = new Command('assay').exitOverride()
  addAnchorRecover(program)
  const args = ['--config', configFile, '--passphrase-file', join(folder, 'passphrase'), '--json', ...more]
  await program.parseAsync(['recover', ...args], { from: 'user' })
}

it('a database without a log is told apart from one without anchors', async () => {
  openSiteDatabase(folder).close()
  await expect(recover()).rejects.toMatchObject({ code: 'log_empty' })
})

it('a height that is none is refused', async () => {
  await expect(recover('--from-height', '-1')).rejects.toMatchObject({ code: 'commander.invalidArgument' })
})

it('a coordinator whose anchors are lost finds them in the chain, and goes on', async () => {
  const anchoredOf = ({ house }: Coordinator) => {
    return (house()?.anchorer.anchors() ?? []).map(({ index, txid, state, size }) => ({
      index,
      txid,
      state,
      size,
    }))
  }
  const before = await withCoordinator(async (coordinator) => {
    await bitcoind.fund(coordinator.anchorAddress, 100_000n)
    await bitcoind.mine(6)
    for (let round = 0; round < 10; round++) {
      await coordinator.kick()
      await bitcoind.mine(1)
    }
    await coordinator.kick()
    return anchoredOf(coordinator)
  })
  expect(before.length).toBeGreaterThan(0)
  expect(before[0]?.state).toBe('final')

  const db = openSiteDatabase(folder)
  db.exec('DELETE FROM anchor_attempt')
  db.close()
  const lost = await withCoordinator(async (coordinator) => {
    await coordinator.kick()
    return coordinator.house()?.anchorer.state()
  })
  expect(lost).toMatchObject({ stalled: { code: 'database_old' }, inDoubt: true })

  await recover()
  await withCoordinator(async (coordinator) => {
    expect(anchoredOf(coordinator)).toEqual(before)
    await coordinator.kick()
    expect(coordinator.house()?.anchorer.state()).toMatchObject({ stalled: null, inDoubt: false })
  })
})

it('a folder in use is left alone', async () => {
  await withCoordinator(async () => {
    await expect(recover()).rejects.toMatchObject({ code: 'folder_in_use' })
  })
})
