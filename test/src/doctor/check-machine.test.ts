import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { listen } from '../../../src/api/listen.ts'
import { checkCompute, judgeProbes } from '../../../src/doctor/check-compute.ts'
import { checkDataFolder, judgeSpace } from '../../../src/doctor/check-data-folder.ts'
import { checkKeystore } from '../../../src/doctor/check-keystore.ts'
import { checkNodeVersion } from '../../../src/doctor/check-node-version.ts'
import { checkPort } from '../../../src/doctor/check-port.ts'
import { createKeystore } from '../../../src/keystore/create-keystore.ts'
import { openSite, ORIGIN as SITE_ORIGIN } from '../coordinator/site.ts'
import { exampleConfig } from './example-config.ts'

const SCRYPT_N = 2 ** 14

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-doctor-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

test('Node: the first version that will do, and the last that will not', () => {
  expect(checkNodeVersion(process.versions.node).state).toBe('ok')
  expect(checkNodeVersion('22.18.0').state).toBe('ok')
  expect(checkNodeVersion('23.0.0').state).toBe('ok')
  expect(checkNodeVersion('22.17.9')).toMatchObject({ state: 'fail', fix: expect.stringContaining('22.18') })
  expect(checkNodeVersion('20.19.0').state).toBe('fail')
})

test('keystore: for its owner alone, and for this network', async () => {
  const dataDir = temporaryFolder()
  const path = join(dataDir, 'keystore.json')
  const config = exampleConfig({ dataDir })
  expect(checkKeystore(config)).toMatchObject({ state: 'fail', fix: expect.stringContaining('assay init') })
  await createKeystore(path, { passphrase: 'of the test', network: 'regtest', scryptN: SCRYPT_N })
  expect(checkKeystore(config).state).toBe('ok')
  expect(checkKeystore(exampleConfig({ dataDir, network: 'signet' }))).toMatchObject({
    state: 'fail',
    detail: expect.stringContaining('keys for regtest'),
  })
  chmodSync(path, 0o640)
  expect(checkKeystore(config)).toMatchObject({
    state: 'fail',
    detail: expect.stringContaining('mode 640'),
    fix: `chmod 600 ${path}`,
  })
  writeFileSync(path, '{}')
  expect(checkKeystore(config)).toMatchObject({ state: 'fail', fix: expect.stringContaining('backup') })
})

test('data folder: there or not, and how much room is left', () => {
  const dataDir = temporaryFolder()
  expect(checkDataFolder(exampleConfig({ dataDir })).map(({ check }) => check)).toEqual(['folder', 'space'])
  expect(checkDataFolder(exampleConfig({ dataDir: join(dataDir, 'none') }))).toMatchObject([
    { check: 'folder', state: 'fail', fix: expect.stringContaining('assay init') },
  ])
  const gib = 1024 ** 3
  const states = [gib - 1, gib, 10 * gib - 1, 10 * gib].map((bytes) => judgeSpace(bytes).state)
  expect(states).toEqual(['fail', 'warn', 'warn', 'ok'])
})

test('port: free, taken by this coordinator, by another one, by another program', async () => {
  await using site = await openSite(node, { funded: false })
  const port = new URL(site.url).port
  const ours = exampleConfig({ 'listen.port': port, origin: SITE_ORIGIN })
  expect(await checkPort(ours)).toMatchObject({
    state: 'ok',
    detail: expect.stringContaining('this coordinator'),
  })
  const another = exampleConfig({ 'listen.port': port, origin: 'another.example/log' })
  expect(await checkPort(another)).toMatchObject({
    state: 'fail',
    fix: expect.stringContaining('listen.port'),
  })
  await site.close()
  expect(await checkPort(ours)).toMatchObject({ state: 'ok', detail: expect.stringContaining('is free') })

  await using page = await listen(express(), { host: '127.0.0.1', port: 0 })
  expect(await checkPort(exampleConfig({ 'listen.port': new URL(page.url).port }))).toMatchObject({
    state: 'fail',
    detail: expect.stringContaining('another program'),
  })
})

test('port: any free one, an address of another machine, a port of other software', async () => {
  expect(await checkPort(exampleConfig({ 'listen.port': '0' }))).toMatchObject({ state: 'ok' })
  // TEST-NET-3 (RFC 5737) belongs to nobody.
  expect(await checkPort(exampleConfig({ 'listen.host': '203.0.113.1' }))).toMatchObject({
    state: 'fail',
    detail: expect.stringContaining('EADDRNOTAVAIL'),
    fix: expect.stringContaining('listen.host'),
  })
  expect(await checkPort(exampleConfig({ 'listen.port': '23334' }))).toMatchObject({ state: 'warn' })
})

test('compute: what really runs here is named', async () => {
  expect(await checkCompute()).toMatchObject({ check: 'compute', detail: expect.stringContaining('cpu (') })
})

test('compute: an idle GPU and a machine that can not work are worth a word, nothing fails', () => {
  const cpu = { provider: 'cpu', device: 'x86-64-v3', refusal: null } as const
  const noCuda = { provider: 'cuda', device: 'unknown', refusal: 'no libcudart.so.12' } as const
  const cuda = { provider: 'cuda', device: 'NVIDIA H200', refusal: null } as const
  expect(judgeProbes([noCuda, cpu], 'unknown', ['driver']).state).toBe('ok')
  expect(judgeProbes([cuda, cpu], 'NVIDIA H200', [])).toMatchObject({
    state: 'ok',
    detail: 'cuda (NVIDIA H200), cpu (x86-64-v3)',
  })
  expect(judgeProbes([noCuda, cpu], 'NVIDIA H200', [])).toMatchObject({
    state: 'warn',
    detail: expect.stringContaining('no libcudart.so.12'),
    fix: expect.stringContaining('assay worker check'),
  })
  expect(judgeProbes([noCuda, cpu], 'NVIDIA H200', ['provider files', 'cuDNN 9'])).toMatchObject({
    state: 'warn',
    detail: expect.stringContaining('missing: provider files, cuDNN 9'),
    fix: expect.stringMatching(/assay worker install-cuda; install cuDNN 9/),
  })
  expect(judgeProbes([noCuda, { ...cpu, refusal: 'no such package' }], 'unknown', [])).toMatchObject({
    state: 'warn',
    detail: expect.stringContaining('no such package'),
  })
})
