import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { renderConfig } from '../../../src/config/render-config.ts'
import type { Peer } from '../coordinator/peer.ts'
import { openSite, type Site, TOKEN } from '../coordinator/site.ts'
import { tinyInput, tinyOutput } from '../coordinator/tiny-market.ts'
import { runCli } from './run-cli.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-operator-'))
const configFile = join(folder, 'assay.toml')

let node: RegtestNode
let site: Site
let worker: Peer
beforeAll(async () => {
  node = await startBitcoind()
  site = await openSite(node)
  worker = await site.peer()
  writeFileSync(configFile, renderConfig(site.config))
  writeFileSync(join(site.config.dataDir, 'operator-token'), TOKEN)
  for (const name of ['in', 'out']) mkdirSync(join(folder, name))
  for (const value of [1, 2, 3]) {
    writeFileSync(join(folder, 'in', `${value}`), tinyInput(value))
    writeFileSync(join(folder, 'out', `${value}`), tinyOutput(tinyInput(value)))
  }
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await node.stop()
  rmSync(folder, { recursive: true, force: true })
})

test('an auditor is admitted, listed and withdrawn', async () => {
  const admitted = await operator('auditor', 'admit', worker.hex, '--reason', 'I have seen the machine')
  expect(JSON.parse(admitted.stdout)).toMatchObject({ auditor: worker.hex, status: 'admitted' })
  const { stdout } = await runCli('auditor', 'list', '--url', site.url)
  expect(stdout).toContain(worker.hex)
  expect(stdout).toContain('I have seen the machine')
  expect(await operator('auditor', 'withdraw', worker.hex, '--reason', 'gone')).toMatchObject({ exitCode: 0 })
  expect((await runCli('auditor', 'list', '--url', site.url)).stdout).toContain('Nobody audits')
})

test.each([
  ['a key of another form', ['admit', 'abc', '--reason', 'x'], 2, 'key_malformed'],
  ['a key that nobody registered', ['admit', '07'.repeat(32), '--reason', 'x'], 2, 'worker_unknown'],
])('%s is refused', async (_what, args, exitCode, code) => {
  const refused = await operator('auditor', ...args)
  expect(refused.exitCode).toBe(exitCode)
  expect(JSON.parse(refused.stderr)).toMatchObject({ code })
})

test('canaries go in by the folder and by the file, each input once', async () => {
  const names = ['canary', 'add', '--subnet', 'tiny', '--model', 'identity']
  const all = await operator(...names, '--inputs', join(folder, 'in'), '--outputs', join(folder, 'out'))
  expect(JSON.parse(all.stdout)).toEqual({ given: 3, added: 3, left: 3 })
  const one = await operator(
    ...names,
    '--inputs',
    join(folder, 'in', '1'),
    '--outputs',
    join(folder, 'out', '1'),
  )
  expect(JSON.parse(one.stdout)).toEqual({ given: 1, added: 0, left: 3 })
  const none = await operator(...names, '--inputs', join(folder, 'absent'), '--outputs', join(folder, 'out'))
  expect(none.exitCode).toBe(2)
  expect(JSON.parse(none.stderr)).toMatchObject({ code: 'file_unreadable' })
})

function operator(...args: readonly string[]) {
  return runCli(...args, '--config', configFile, '--url', site.url, '--json')
}

test('a key is given out, listed and revoked', async () => {
  const given = await operator('key', 'add', '--role', 'read_only', '--name', 'grafana')
  expect(JSON.parse(given.stdout)).toEqual({
    role: 'read_only',
    name: 'grafana',
    apiKey: expect.stringMatching(/^[0-9a-f]{64}$/),
  })
  const { keys } = JSON.parse((await operator('key', 'list')).stdout)
  expect(keys).toMatchObject([{ role: 'read_only', name: 'grafana' }])
  const revoked = await operator('key', 'revoke', '--role', 'read_only', '--name', 'grafana')
  expect(revoked).toMatchObject({ exitCode: 0 })
  expect(JSON.parse((await operator('key', 'list')).stdout)).toEqual({ keys: [] })
})
