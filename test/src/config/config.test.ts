import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NETWORK_NAMES } from '../../../anchor/network.ts'
import { CONFIG_KEYS } from '../../../src/config/config-key.ts'
import type { Config } from '../../../src/config/config-schema.ts'
import { loadConfig } from '../../../src/config/load-config.ts'
import { networkDefaults } from '../../../src/config/network-defaults.ts'
import { parseConfig } from '../../../src/config/parse-config.ts'
import { renderConfig } from '../../../src/config/render-config.ts'

const MINIMAL = `
network = "regtest"
dataDir = "data"
origin = "assay.example/log"
[bitcoind]
cookieFile = "/bitcoin/regtest/.cookie"
[epoch]
startHeight = 101
`

/** What the keys alone and together must refuse: one flag each over MINIMAL. */
const INVALID: [key: string, value: string, blamed?: string][] = [
  ['network', 'testnet3'],
  ['dataDir', ''],
  ['origin', 'two words'],
  ['origin', 'a+b'],
  ['origin', 'x'.repeat(256)],
  ['witnesses', 'http://127.0.0.1:1', 'witnesses.0'],
  ['witnesses', 'http://127.0.0.1:1 w.example+00000000+AAAA', 'witnesses.0'],
  ['witnesses', 'ftp://127.0.0.1 w.example+00000000+AAAA', 'witnesses.0'],
  ['listen.port', '65536'],
  ['listen.port', '-1'],
  ['listen.port', '08'],
  ['listen.port', '8e3'],
  ['listen.port', ''],
  ['bitcoind.url', 'ftp://127.0.0.1'],
  ['bitcoind.url', 'here'],
  ['bitcoind.zmqUrl', 'http://127.0.0.1:1'],
  ['bitcoind.pollMs', '49'],
  ['bitcoind.username', 'me'],
  ['bitcoind.password', 'secret', 'bitcoind.username'],
  ['anchor.method', 'both'],
  ['anchor.everyBlocks', '0'],
  ['anchor.floorSatPerKvb', '999'],
  ['anchor.floorSatPerKvb', '100001'],
  ['anchor.capSats', '200001'],
  ['anchor.capSats', '0'],
  ['anchor.dayCapSats', '9223372036854775808'],
  ['epoch.startHeight', '1.5'],
  ['epoch.blocks', '0'],
  ['epoch.verdictBlocks', '7'],
  ['epoch.finalDepth', '0'],
  ['epoch.beaconDelay', '0'],
  ['epoch.maturityBlocks', '0'],
  ['subsidy.halvingEpochs', '0'],
  ['subsidy.initialMsat', '29200000001'],
  ['shares.auditBasisPoints', '501'],
  ['payout.thresholdSats', '545'],
  ['payout.maxPayees', '2001'],
  ['leases.deadlineMs', '999'],
]

describe('parseConfig', () => {
  test('fills what is not said with the defaults of the network', () => {
    const { network, dataDir, origin, ...rest } = parseConfig(MINIMAL)
    const defaults = networkDefaults('regtest')
    expect({ network, dataDir, origin }).toEqual({
      network: 'regtest',
      dataDir: 'data',
      origin: 'assay.example/log',
    })
    expect(rest).toEqual({
      ...defaults,
      bitcoind: { ...defaults.bitcoind, cookieFile: '/bitcoin/regtest/.cookie' },
      epoch: { ...defaults.epoch, startHeight: 101 },
    })
  })

  test.each(NETWORK_NAMES)('the defaults of %s are accepted', (network) => {
    expect(parseConfig(MINIMAL, { flags: { network } }).network).toBe(network)
  })

  test('mainnet waits for six blocks and a hundred, regtest for one and four', () => {
    const waits = (network: string) => {
      const { beaconDelay, maturityBlocks, finalDepth } = parseConfig(MINIMAL, { flags: { network } }).epoch
      return { beaconDelay, maturityBlocks, finalDepth }
    }
    expect(waits('mainnet')).toEqual({ beaconDelay: 6, maturityBlocks: 100, finalDepth: 6 })
    expect(waits('regtest')).toEqual({ beaconDelay: 1, maturityBlocks: 4, finalDepth: 6 })
  })

  test('the environment stands over the file and flags over both', () => {
    const toml = `${MINIMAL}[anchor]\neveryBlocks = 2\ntargetBlocks = 2\ncapSats = 2\n`
    const env = { ASSAY_ANCHOR_TARGET_BLOCKS: '3', ASSAY_ANCHOR_CAP_SATS: '3', PATH: '/bin' }
    const { anchor } = parseConfig(toml, { env, flags: { 'anchor.capSats': '4' } })
    expect([anchor.everyBlocks, anchor.targetBlocks, anchor.capSats]).toEqual([2, 3, 4n])
  })

  test('a variable or flag that is not set changes nothing', () => {
    const overrides = { env: { ASSAY_LISTEN_PORT: undefined }, flags: { 'listen.port': undefined } }
    expect(parseConfig(MINIMAL, overrides)).toEqual(parseConfig(MINIMAL))
  })

  test('money is exact up to 2^63 - 1 as integer and as text', () => {
    const most = 2n ** 63n - 1n
    expect(parseConfig(`${MINIMAL}[subsidy]\ncapMsat = ${most}\n`).subsidy.capMsat).toBe(most)
    expect(parseConfig(`${MINIMAL}[subsidy]\ncapMsat = "${most}"\n`).subsidy.capMsat).toBe(most)
  })

  test.each(INVALID)('%s = %j is refused with its key', (key, value, blamed = key) => {
    const parse = () => parseConfig(MINIMAL, { flags: { [key]: value } })
    expect(parse).toThrow(expect.objectContaining({ code: 'config_invalid', key: blamed }))
  })

  test.each(['epoch.beaconDelay', 'epoch.finalDepth'])('outside regtest %s is at least 6', (key) => {
    const parse = (value: string) => () =>
      parseConfig(MINIMAL, { flags: { network: 'signet', [key]: value } })
    expect(parse('5')).toThrow(expect.objectContaining({ code: 'config_invalid', key }))
    expect(parse('6')).not.toThrow()
  })

  test.each([
    ['network', 'network = "regtest"\n'],
    ['dataDir', 'dataDir = "data"\n'],
    ['origin', 'origin = "assay.example/log"\n'],
    ['bitcoind.cookieFile', 'cookieFile = "/bitcoin/regtest/.cookie"\n'],
    ['epoch.startHeight', 'startHeight = 101\n'],
  ])('%s has no default', (key, line) => {
    expect(MINIMAL).toContain(line)
    const parse = () => parseConfig(MINIMAL.replace(line, ''))
    expect(parse).toThrow(expect.objectContaining({ code: 'config_invalid', key }))
  })

  test('a username and its password stand for the cookie, never beside it', () => {
    const flags = { 'bitcoind.username': 'me', 'bitcoind.password': '12345' }
    const { bitcoind } = parseConfig(MINIMAL.replace(/cookieFile.*/, ''), { flags })
    expect(bitcoind).toMatchObject({ username: 'me', password: '12345' })
    expect(() => parseConfig(MINIMAL, { flags })).toThrow(
      expect.objectContaining({ code: 'config_invalid', key: 'bitcoind.cookieFile' }),
    )
  })

  test.each([
    ['colour', `colour = 1\n${MINIMAL}`],
    ['anchor.everyBlock', `${MINIMAL}[anchor]\neveryBlock = 1\n`],
    ['anchors', `${MINIMAL}[anchors]\n`],
    ['anchor.deep', `${MINIMAL}[anchor.deep]\nkey = 1\n`],
  ])('the unknown key %s of a file is refused', (key, toml) => {
    expect(() => parseConfig(toml)).toThrow(expect.objectContaining({ code: 'config_unknown_key', key }))
  })

  test('an unknown flag and a mistyped variable of a table are refused', () => {
    expect(() => parseConfig(MINIMAL, { flags: { 'anchor.every': '1' } })).toThrow(
      expect.objectContaining({ code: 'config_unknown_key', key: 'anchor.every' }),
    )
    expect(() => parseConfig(MINIMAL, { env: { ASSAY_ANCHOR_EVERY: '1' } })).toThrow(
      expect.objectContaining({ code: 'config_unknown_key', key: 'ASSAY_ANCHOR_EVERY' }),
    )
    expect(() => parseConfig(MINIMAL, { env: { ASSAY_PASSPHRASE: 'x', ASSAY_BITCOIND: 'y' } })).not.toThrow()
  })

  test.each([
    ['listen', 'listen = 1\n'],
    ['listen.port', '[listen]\nport = 8380.5\n'],
    ['listen.port', '[listen]\nport = true\n'],
    ['listen.host', '[listen]\nhost = 1\n'],
  ])('a value of another kind at %s is refused', (key, toml) => {
    const [top, table] = toml.startsWith('[') ? ['', toml] : [toml, '']
    expect(() => parseConfig(`${top}${MINIMAL}${table}`)).toThrow(
      expect.objectContaining({ code: 'config_invalid', key }),
    )
  })

  test.each(['network =', '[', '__proto__ = 1', 'a = 1\na = 2'])('%j is no TOML that is read', (toml) => {
    expect(() => parseConfig(toml)).toThrow(expect.objectContaining({ code: 'config_malformed', key: null }))
  })
})

describe('renderConfig', () => {
  const anyText = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 40 })
    .filter((text) => text.isWellFormed())
  const anyMoney = fc.bigInt(1n, 2n ** 63n - 1n)
  const overrides: fc.Arbitrary<Partial<Config>> = fc.record({
    dataDir: anyText,
    bitcoind: fc.record({
      url: fc.constant('https://node.example:8332/'),
      username: anyText,
      password: anyText,
      pollMs: fc.integer({ min: 50, max: 600_000 }),
    }),
    reserve: fc.record({ feeSats: anyMoney }),
    subsidy: anyMoney.map((msat) => ({ initialMsat: msat, halvingEpochs: 7, capMsat: msat })),
  })

  test('what it writes parses to the same', () => {
    const base = parseConfig(MINIMAL)
    fc.assert(
      fc.property(overrides, (values) => {
        const config = { ...base, ...values }
        expect(parseConfig(renderConfig(config))).toEqual(config)
      }),
    )
  })

  test('it documents every key, set or not', () => {
    const lines = renderConfig(parseConfig(MINIMAL)).split('\n')
    for (const { name, doc } of CONFIG_KEYS) {
      const at = lines.indexOf(`# ${doc}`)
      expect(doc.length, name).toBeGreaterThan(10)
      expect(lines[at + 1], name).toMatch(new RegExp(`^(# )?${name} =`))
    }
  })

  test('no two keys share a variable', () => {
    expect(new Set(CONFIG_KEYS.map(({ variable }) => variable)).size).toBe(CONFIG_KEYS.length)
  })
})

describe('loadConfig', () => {
  test('reads the file, and without one takes all from flags', () => {
    const folder = mkdtempSync(join(tmpdir(), 'assay-config-'))
    const file = join(folder, 'assay.toml')
    writeFileSync(file, MINIMAL)
    const flags = {
      network: 'regtest',
      dataDir: 'data',
      origin: 'assay.example/log',
      'bitcoind.cookieFile': '/bitcoin/regtest/.cookie',
      'epoch.startHeight': '101',
    }
    expect(loadConfig({ file })).toEqual(loadConfig({ file: null, flags }))
    rmSync(folder, { recursive: true })
    expect(() => loadConfig({ file })).toThrow(expect.objectContaining({ code: 'config_unreadable' }))
  })
})
