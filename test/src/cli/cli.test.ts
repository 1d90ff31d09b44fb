import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'

const CLI = fileURLToPath(new URL('../../../src/cli/assay.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'assay-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Nothing listens there: port 9 is "discard". */
const NOWHERE = 'http://127.0.0.1:9'

function assay(
  args: readonly string[],
  options: { env?: Record<string, string>; node?: readonly string[] } = {},
) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...(options.node ?? []), CLI, ...args], {
    cwd: folder,
    encoding: 'utf8',
    // Nothing of the environment but where programs are, and what others have compiled.
    env: {
      PATH: process.env.PATH ?? '',
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
      ...options.env,
    },
  })
  return { exitCode: status, stdout, stderr }
}

function initArgs(dir: string, ...more: string[]): string[] {
  return [
    'init',
    ...['--dir', dir, '--network', 'regtest', '--origin', 'test.example/log', '--start-height', '200'],
    ...['--cookie-file', join(folder, 'cookie'), '--bitcoind-url', NOWHERE],
    ...more,
  ]
}

describe('compiled sources', () => {
  const home = join(folder, 'home')
  test.each([
    ['in the home folder', { HOME: home }, join(home, '.cache/assay/compiled'), true],
    ['where caches go', { HOME: '/', XDG_CACHE_HOME: join(folder, 'xdg') }, join(folder, 'xdg/assay'), true],
    ['not below where one stands: no home', { HOME: '' }, join(folder, '.cache'), false],
    ['nor below it by a relative path', { HOME: home, XDG_CACHE_HOME: 'near' }, join(folder, 'near'), false],
  ])('are kept %s', (_where, env, kept, isKept) => {
    // Where Node keeps them for the tests stands in the way of where the program does.
    expect(assay(['--version'], { env: { NODE_COMPILE_CACHE: '', ...env } }).exitCode).toBe(0)
    expect(existsSync(kept)).toBe(isKept)
  })
})

describe('exit codes', () => {
  test.each([
    ['help', ['--help'], 0],
    ['the help of a command', ['proof', 'verify', '--help'], 0],
    ['the version', ['--version'], 0],
    ['an unknown command', ['frobnicate'], 2],
    ['an unknown option', ['demo', '--frobnicate'], 2],
    ['a missing option', ['up'], 2],
    ['a value that is no choice', ['demo', '--method', 'triple'], 2],
  ])('%s', (_what, args, exitCode) => {
    expect(assay(args).exitCode).toBe(exitCode)
  })

  test.each([
    ['a configuration that is not there', ['up', '--config', 'absent.toml'], 2, 'config_unreadable'],
    ['no coordinator', ['anchor', 'status', '--url', NOWHERE], 3, 'coordinator_unreachable'],
    ['no coordinator', ['ledger', 'reconcile', '--url', NOWHERE], 3, 'coordinator_unreachable'],
    ['a proof file that is not there', ['proof', 'verify', 'absent.assay'], 2, 'file_unreadable'],
    [
      'a network that is none',
      [...initArgs('x').map((arg) => (arg === 'regtest' ? 'moon' : arg))],
      2,
      'config_invalid',
    ],
    ['a setting without a value', initArgs('x', '--set', 'anchor.everyBlocks'), 2, 'setting_malformed'],
    ['a setting that is none', initArgs('x', '--set', 'anchor.speed=9'), 2, 'config_unknown_key'],
    ['no passphrase and no terminal', initArgs('x'), 2, 'passphrase_missing'],
    [
      'a node without its cookie',
      ['proof', 'verify', 'r.assay', '--bitcoind-url', NOWHERE],
      2,
      'cookie_not_given',
    ],
    [
      'the statement of a folder in which no worker has run',
      ['worker', 'statement', '--coordinator', NOWHERE, '--data', folder],
      2,
      'worker_key_missing',
    ],
  ])('%s', (_what, args, exitCode, code) => {
    const plain = assay(args)
    expect(plain.exitCode).toBe(exitCode)
    expect(plain.stderr).toContain(`(${code})`)
    expect(plain.stderr).not.toContain('    at ')
  })

  test.each([
    ['an unknown option', ['status', '--jsn', '--json'], /unknown option '--jsn'/],
    ['a missing option', ['worker', '--json'], /required option '--coordinator/],
    ['an unknown command', ['frob', '--json'], /unknown command 'frob'/],
  ])('%s is said as JSON to who asks for that', (_what, args, said) => {
    const { exitCode, stdout, stderr } = assay(args)
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(JSON.parse(stderr)).toEqual({ code: 'usage', error: expect.stringMatching(said) })
  })

  test('a usage error says where to read more', () => {
    expect(assay(['up']).stderr).toMatch(/'--config <file>' not specified\n\n?--help says/)
  })

  test('an error under --json is one JSON object with the code', () => {
    const { exitCode, stderr } = assay(['anchor', 'status', '--url', NOWHERE, '--json'])
    expect(exitCode).toBe(3)
    expect(JSON.parse(stderr)).toMatchObject({ code: 'coordinator_unreachable' })
  })

  test('a Node that is too old is named in one line, before anything is loaded', () => {
    const old = `Object.defineProperty(process.versions, 'node', { value: '20.20.2' })`
    const { exitCode, stderr, stdout } = assay(['--version'], {
      node: ['--import', `data:text/javascript,${encodeURIComponent(old)}`],
    })
    expect(exitCode).toBe(3)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^assay needs Node 22\.18 or newer.*\n$/)
  })
})

test('what is written to a reader who has gone is no error to show', () => {
  // The reader is gone long before Node has started.
  const { stderr, status } = spawnSync('bash', [
    '-o',
    'pipefail',
    '-c',
    '"$0" "$1" --help | :',
    process.execPath,
    CLI,
  ])
  expect(`${stderr}`).toBe('')
  expect(status).toBe(141)
})

test.each([
  ['run', ['--address', 'bcrt1q', '--coordinator', 'assay.example']],
  ['address', ['--address', 'bcrt1q', '--coordinator', 'assay.example']],
  ['statement', ['--coordinator', 'assay.example']],
  ['statement', ['--coordinator', NOWHERE, '--mirror', 'ftp://assay.example']],
])('worker %s refuses what is no URL, and leaves nothing behind', (command, options) => {
  const data = join(folder, 'no-worker')
  const { exitCode, stderr } = assay(['worker', command, ...options, '--data', data])
  expect(exitCode).toBe(2)
  expect(stderr).toContain('expected a URL')
  expect(existsSync(data)).toBe(false)
})

describe('proof verify', () => {
  test('a file that is no proof fails at its format, with exit code 1', () => {
    const file = join(folder, 'garbage.assay')
    writeFileSync(file, 'not a proof')
    const { exitCode, stdout } = assay(['proof', 'verify', file, '--json'])
    expect(exitCode).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, existed: false, failed: 'format' })
  })
})

describe('init', () => {
  const env = { ASSAY_PASSPHRASE: 'correct horse' }

  test('writes a configuration and a keystore for their owner alone, and never over others', () => {
    const first = assay(initArgs('made', '--json', '--set', 'anchor.everyBlocks=3'), { env })
    expect(first.exitCode).toBe(0)
    const { config, keystore, anchorAddress, treasuryAddress } = JSON.parse(first.stdout)
    expect(anchorAddress).toMatch(/^bcrt1p/)
    expect(treasuryAddress).toMatch(/^bcrt1p/)
    expect(treasuryAddress).not.toBe(anchorAddress)
    expect(readFileSync(config, 'utf8')).toMatch(/^everyBlocks = 3$/m)
    expect(statSync(keystore).mode & 0o077).toBe(0)
    expect(statSync(config).mode & 0o077).toBe(0)

    const again = assay(initArgs('made'), { env })
    expect(again.exitCode).toBe(2)
    expect(again.stderr).toContain('(config_exists)')
  })

  test('goes on with the keystore of one that was interrupted, by its passphrase alone', () => {
    const addressOf = ({ stdout }: { stdout: string }) => JSON.parse(stdout).anchorAddress
    const made = assay(initArgs('interrupted', '--json'), { env })
    rmSync(join(folder, 'interrupted', 'assay.toml'))
    const wrong = assay(initArgs('interrupted'), { env: { ASSAY_PASSPHRASE: 'wrong horse' } })
    expect(wrong.stderr).toContain('(passphrase_wrong)')
    const again = assay(initArgs('interrupted', '--json'), { env })
    expect(addressOf(again)).toBe(addressOf(made))
    const found = [made, again].map(({ stdout }) => JSON.parse(stdout).keystoreFound)
    expect(found).toEqual([false, true])
    rmSync(join(folder, 'interrupted', 'assay.toml'))
    expect(assay(initArgs('interrupted'), { env }).stdout).toContain('keystore.json, which was there already')
  })

  test('up refuses a wrong passphrase, and a node that does not answer, and says which', () => {
    assay(initArgs('refused'), { env })
    const config = join(folder, 'refused', 'assay.toml')
    const wrong = assay(['up', '--config', config], { env: { ASSAY_PASSPHRASE: 'wrong horse' } })
    expect(wrong.exitCode).toBe(3)
    expect(wrong.stderr).toContain('(passphrase_wrong)')

    writeFileSync(join(folder, 'cookie'), '__cookie__:00')
    const unreachable = assay(['up', '--config', config], { env })
    expect(unreachable.exitCode).toBe(3)
    expect(unreachable.stderr).toContain('(rpc_unreachable)')
  })

  test('anchor now needs the token that up writes', () => {
    assay(initArgs('tokenless'), { env })
    const config = join(folder, 'tokenless', 'assay.toml')
    expect(existsSync(join(folder, 'tokenless', 'operator-token'))).toBe(false)
    const { exitCode, stderr } = assay(['anchor', 'now', '--config', config])
    expect(exitCode).toBe(3)
    expect(stderr).toContain('(operator_token_missing)')
  })

  test('up refuses an empty token, which a crash may leave: anybody would have it', () => {
    assay(initArgs('crashed'), { env })
    writeFileSync(join(folder, 'crashed', 'operator-token'), '')
    const { exitCode, stderr } = assay(['up', '--config', join(folder, 'crashed', 'assay.toml')], { env })
    expect(exitCode).toBe(3)
    expect(stderr).toContain('(operator_token_empty)')
  })
})
