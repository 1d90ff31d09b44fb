import { expect, test } from 'vitest'
import type { NodeFacts } from '../../../src/doctor/ask-node.ts'
import type { Finding } from '../../../src/doctor/finding.ts'
import { judgeNode } from '../../../src/doctor/judge-node.ts'
import { exampleConfig } from './example-config.ts'

const NOW = 1_800_000_000
const ZMQ = 'tcp://127.0.0.1:28332'
const WELL: NodeFacts = {
  chain: {
    chain: 'main',
    blocks: 900_000,
    headers: 900_000,
    mediantime: NOW - 3_600,
    time: NOW - 300,
    initialblockdownload: false,
    pruned: false,
  },
  network: { subversion: '/Satoshi:31.0.0/', connections: 10, timeoffset: 0 },
  zmq: [{ type: 'pubsequence', address: ZMQ }],
  hasWallets: true,
  dataRefusal: null,
}
const CONFIG = { network: 'mainnet', 'bitcoind.zmqUrl': ZMQ }

function judge(facts: NodeFacts, flags: Record<string, string> = {}): Finding[] {
  return judgeNode(facts, exampleConfig({ ...CONFIG, ...flags }), NOW)
}

test('a node that is well in every way gives no finding to act on', () => {
  expect(judge(WELL).filter(({ state }) => state !== 'ok')).toEqual([])
})

interface Case {
  readonly facts: NodeFacts
  readonly flags?: Record<string, string>
  readonly found: [check: string, state: string, fix: RegExp]
}

const CASES: Readonly<Record<string, Case>> = {
  'another chain': {
    facts: { ...WELL, chain: { ...WELL.chain, chain: 'test4' } },
    found: ['network', 'fail', /bitcoind\.url/],
  },
  'initial block download': {
    facts: { ...WELL, chain: { ...WELL.chain, initialblockdownload: true, time: NOW - 1e7 } },
    found: ['sync', 'warn', /Wait/],
  },
  'no peers': {
    facts: { ...WELL, network: { ...WELL.network, connections: 0 } },
    found: ['peers', 'fail', /connect/],
  },
  'no wallets': { facts: { ...WELL, hasWallets: false }, found: ['wallet', 'fail', /disablewallet/] },
  'ZMQ at another port': {
    facts: { ...WELL, zmq: [{ type: 'pubsequence', address: 'tcp://127.0.0.1:1' }] },
    found: ['zmq', 'warn', /tcp:\/\/127\.0\.0\.1:1"/],
  },
  'ZMQ for blocks alone': {
    facts: { ...WELL, zmq: [{ type: 'pubhashblock', address: ZMQ }] },
    found: ['zmq', 'warn', /zmqpubsequence=/],
  },
  'another ZMQ socket': {
    facts: { ...WELL, zmq: [{ type: 'pubsequence', address: 'ipc:///run/a' }] },
    flags: { 'bitcoind.zmqUrl': 'ipc:///run/b' },
    found: ['zmq', 'warn', /ipc:\/\/\/run\/a/],
  },
  'data outputs refused': {
    facts: { ...WELL, dataRefusal: 'datacarrier' },
    found: ['relay', 'fail', /datacarriersize/],
  },
  'a clock behind the median time': {
    facts: { ...WELL, chain: { ...WELL.chain, mediantime: NOW + 1 } },
    found: ['clock', 'fail', /timedatectl/],
  },
  'peers who disagree on the time': {
    facts: { ...WELL, network: { ...WELL.network, timeoffset: -61 } },
    found: ['clock', 'warn', /timedatectl/],
  },
  'an old tip': {
    facts: { ...WELL, chain: { ...WELL.chain, time: NOW - 9_001 } },
    found: ['clock', 'warn', /peers/],
  },
}

for (const [what, { facts, flags, found }] of Object.entries(CASES)) {
  test(`${what}: found, with its fix`, () => {
    const [check, state, fix] = found
    const findings = judge(facts, flags).filter((one) => one.state !== 'ok')
    expect(findings).toEqual([{ check, state, detail: expect.any(String), fix: expect.stringMatching(fix) }])
  })
}

test('at the edge of each limit the clock is still right', () => {
  for (const facts of [
    { ...WELL, chain: { ...WELL.chain, mediantime: NOW } },
    { ...WELL, chain: { ...WELL.chain, time: NOW - 9_000 } },
    { ...WELL, network: { ...WELL.network, timeoffset: 60 } },
  ]) {
    expect(judge(facts).filter(({ state }) => state !== 'ok')).toEqual([])
  }
})

test('regtest needs no peers, and its blocks tell no time', () => {
  const chain = { ...WELL.chain, chain: 'regtest', mediantime: NOW + 9_999 }
  const facts = { ...WELL, chain, network: { ...WELL.network, connections: 0 } }
  expect(judge(facts, { network: 'regtest' }).filter(({ state }) => state !== 'ok')).toEqual([])
})

test('the taproot method needs no data outputs', () => {
  const facts = { ...WELL, dataRefusal: 'datacarrier' }
  expect(judge(facts, { 'anchor.method': 'taproot' }).filter(({ state }) => state !== 'ok')).toEqual([])
})

test('a node that publishes at every address of its machine is the one meant', () => {
  const facts = { ...WELL, zmq: [{ type: 'pubsequence', address: 'tcp://0.0.0.0:28332' }] }
  expect(
    judge(facts, { 'bitcoind.zmqUrl': 'tcp://bitcoind:28332' }).filter(({ state }) => state !== 'ok'),
  ).toEqual([])
})

test('without ZMQ configured, what the node publishes is what to configure', () => {
  const config = exampleConfig({ network: 'mainnet' })
  const zmq = judgeNode(WELL, config, NOW).find(({ check }) => check === 'zmq')
  expect(zmq).toMatchObject({ state: 'warn', fix: `Set bitcoind.zmqUrl = "${ZMQ}".` })
  const none = judgeNode({ ...WELL, zmq: [] }, config, NOW).find(({ check }) => check === 'zmq')
  expect(none).toMatchObject({ state: 'warn', fix: expect.stringContaining('zmqpubsequence=') })
})
