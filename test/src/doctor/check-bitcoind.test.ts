import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { expect, onTestFinished, test } from 'vitest'
import { freePort } from '../../../regtest/free-port.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { listen } from '../../../src/api/listen.ts'
import { checkBitcoind } from '../../../src/doctor/check-bitcoind.ts'
import type { Finding } from '../../../src/doctor/finding.ts'
import { exampleConfig } from './example-config.ts'

function checkNode(node: RegtestNode, flags: Record<string, string> = {}): Promise<Finding[]> {
  return checkBitcoind(
    exampleConfig({
      'bitcoind.url': node.rpcUrl,
      'bitcoind.cookieFile': node.cookieFile,
      'bitcoind.zmqUrl': node.zmqUrl,
      ...flags,
    }),
  )
}

function toDo(findings: readonly Finding[]): string[] {
  return findings.filter(({ state }) => state !== 'ok').map(({ check, state }) => `${check} ${state}`)
}

test('a regtest node with a fresh block is well; what is configured wrongly is found', async () => {
  await using node = await startBitcoind()
  expect(toDo(await checkNode(node))).toEqual(['sync warn'])
  await node.mine(1)
  const findings = await checkNode(node)
  expect(toDo(findings)).toEqual([])
  expect(findings.map(({ check }) => check)).toEqual([
    'bitcoind',
    'network',
    'sync',
    'peers',
    'pruning',
    'wallet',
    'zmq',
    'relay',
    'clock',
    'fees',
  ])
  expect(toDo(await checkNode(node, { network: 'signet' }))).toContain('network fail')
  expect(toDo(await checkNode(node, { 'anchor.capSats': '161' }))).toEqual(['fees warn'])
  expect(toDo(await checkNode(node, { 'anchor.capSats': '162' }))).toEqual([])
  expect(toDo(await checkNode(node, { 'anchor.capSats': '111', 'anchor.method': 'taproot' }))).toEqual([])
})

test('a node without wallets that relays no data, pruned: the first two fail, the last does not matter', async () => {
  await using node = await startBitcoind({
    extraArgs: ['-disablewallet', '-datacarriersize=41', '-prune=550'],
  })
  await node.rpc.call('generatetodescriptor', 1, 'raw(51)')
  const findings = await checkNode(node)
  expect(toDo(findings)).toEqual(['wallet fail', 'relay fail'])
  expect(findings.find(({ check }) => check === 'pruning')?.detail).toContain('pruned below block')
})

test('the least data size that an anchor needs is enough', async () => {
  await using node = await startBitcoind({ extraArgs: ['-datacarriersize=42'] })
  await node.mine(1)
  expect(toDo(await checkNode(node))).toEqual([])
})

test('a node that does not answer is one finding, with what to do about it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-doctor-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const cookieFile = join(folder, '.cookie')
  writeFileSync(cookieFile, '__cookie__:wrong\n')
  const port = await freePort()

  const noCookie = await checkBitcoind(exampleConfig({ 'bitcoind.url': `http://127.0.0.1:${port}` }))
  expect(toDo(noCookie)).toEqual(['bitcoind fail'])
  expect(noCookie[0]?.fix).toContain('/nowhere/.cookie')

  const flags = { 'bitcoind.url': `http://127.0.0.1:${port}`, 'bitcoind.cookieFile': cookieFile }
  const [gone] = await checkBitcoind(exampleConfig(flags))
  expect(gone).toMatchObject({
    check: 'bitcoind',
    state: 'fail',
    fix: expect.stringContaining('Start bitcoind'),
  })

  await using page = await listen(
    express().use((_, response) => void response.send('a page')),
    {
      host: '127.0.0.1',
      port: 0,
    },
  )
  const [other] = await checkBitcoind(exampleConfig({ ...flags, 'bitcoind.url': page.url }))
  expect(other).toMatchObject({
    check: 'bitcoind',
    state: 'fail',
    fix: expect.stringContaining('bitcoind.url'),
  })

  await using node = await startBitcoind()
  const [wrong, ...rest] = await checkNode(node, { 'bitcoind.cookieFile': cookieFile })
  expect(wrong).toMatchObject({
    check: 'bitcoind',
    state: 'fail',
    fix: expect.stringContaining('cookieFile'),
  })
  expect(rest).toEqual([])
})
