import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { taprootAddress } from '../../../anchor/taproot-address.ts'
import { newWorkerKey, publicKeyOf } from '../../../compute/work/worker-key.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { renderConfig } from '../../../src/config/render-config.ts'
import { openSite, type Site, TOKEN } from '../coordinator/site.ts'
import { runCli } from './run-cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-requester-'))
const configFile = join(folder, 'assay.toml')
const keyFile = join(folder, 'acme.key')

let node: RegtestNode
let site: Site
beforeAll(async () => {
  node = await startBitcoind()
  site = await openSite(node)
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await node.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('an account is opened, shown to its key alone, and paid back what it asks for', async () => {
  const refundAddress = taprootAddress(publicKeyOf(newWorkerKey()), 'regtest')
  const added = await requester('add', 'acme', '--refund-address', refundAddress)
  const { apiKey, depositAddress } = JSON.parse(added.stdout)
  expect(added.exitCode).toBe(0)
  writeFileSync(keyFile, `${apiKey}\n`)
  await node.fund(depositAddress, 30_000n)
  await site.mine(3)
  const key = ['--api-key-file', keyFile]
  expect(JSON.parse((await requester('show', 'acme', ...key)).stdout)).toMatchObject({
    refundAddress,
    availableMsat: '30000000',
  })
  const low = await requester('withdraw', 'acme', '--sats', '1', ...key)
  expect([low.exitCode, JSON.parse(low.stderr).code]).toEqual([2, 'withdrawal_below_threshold'])
  expect((await requester('withdraw', 'acme', '--sats', '1.5', ...key)).exitCode).toBe(2)
  const asked = await requester('withdraw', 'acme', '--sats', '20000', ...key)
  expect(JSON.parse(asked.stdout)).toMatchObject({ withdrawingMsat: '20000000', availableMsat: '10000000' })
  await site.mineUntil('the settled payout', () => site.status().payouts[0]?.state === 'settled')
  expect(await site.satsOnChain(refundAddress)).toBe(20_000n)
  writeFileSync(keyFile, '00'.repeat(32))
  const stranger = await requester('show', 'acme', ...key)
  expect([stranger.exitCode, JSON.parse(stranger.stderr).code]).toEqual([3, 'api_key_unknown'])
})

test('the operator sees every account, page by page, and nobody else does', async () => {
  const { requesters } = site.house().desks
  const refundAddress = taprootAddress(publicKeyOf(newWorkerKey()), 'regtest')
  const names = Array.from({ length: 100 }, (_, i) => `requester-${i}`)
  for (const name of names) requesters.open(name, refundAddress)
  writeFileSync(configFile, renderConfig(site.config))
  writeFileSync(join(site.config.dataDir, 'operator-token'), TOKEN)
  const listed = JSON.parse((await requester('list', '--config', configFile)).stdout).requesters
  expect(listed.map((one: { requester: string }) => one.requester)).toEqual(['acme', ...names.toSorted()])
  expect(listed[0]).toMatchObject({
    balanceMsat: '10000000',
    withdrawingMsat: '0',
    availableMsat: '10000000',
  })
  expect(listed[1]).toMatchObject({ refundAddress, balanceMsat: '0', reservedMsat: '0' })
  const page = await fetch(`${site.url}/v1/operator/requesters`)
  expect([page.status, await page.json()]).toMatchObject([401, { code: 'api_key_unknown' }])
})

function requester(...args: string[]) {
  return runCli('requester', ...args, '--url', site.url, '--json')
}
