import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

/** Only an auditor's needs: without the runtime for models and without SQLite. */
const NOT_FOR_AUDITORS = ['onnxruntime-node', 'better-sqlite3', 'bitcoin-core', 'zeromq', 'express']

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'assay-package-'))

/** A project that depends on the packed package; its other dependencies are this checkout's, less `without`. */
function project(name: string, without: readonly string[]): string {
  const modules = join(folder, name, 'node_modules')
  mkdirSync(join(modules, 'assay'), { recursive: true })
  execFileSync('tar', [
    'xzf',
    join(folder, 'assay.tgz'),
    '--strip-components=1',
    '-C',
    join(modules, 'assay'),
  ])
  for (const dependency of readdirSync(join(root, 'node_modules'))) {
    if (dependency.startsWith('.') || without.includes(dependency)) continue
    symlinkSync(join(root, 'node_modules', dependency), join(modules, dependency))
  }
  return join(folder, name)
}

function run(cwd: string, source: string): string {
  writeFileSync(join(cwd, 'main.mjs'), source)
  return execFileSync(process.execPath, ['main.mjs'], { cwd, encoding: 'utf8' }).trim()
}

beforeAll(() => {
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--loglevel=error', `--pack-destination=${folder}`], {
      cwd: root,
      encoding: 'utf8',
      // The build's own lines would stand before the JSON.
      env: { ...process.env, npm_config_foreground_scripts: 'false' },
    }),
  )
  execFileSync('mv', [join(folder, packed.filename), join(folder, 'assay.tgz')])
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test("the packed package starts a bitcoind in another project's tests", () => {
  const cwd = project('ci', [])
  const height = run(
    cwd,
    `import { startBitcoind } from 'assay/regtest'
     await using node = await startBitcoind()
     await node.mine(3)
     console.log(await node.rpc.call('getblockcount'))`,
  )
  expect(height).toBe('3')
})

test('the packed package runs the command line', () => {
  const cwd = project('cli', [])
  const cli = join(cwd, 'node_modules/assay/src/cli/assay.js')
  expect(execFileSync(process.execPath, [cli, '--version'], { encoding: 'utf8' })).toMatch(
    /^\d+\.\d+\.\d+\n$/,
  )
})

test('the packed package has the explorer where its server looks for it', () => {
  const cwd = project('explorer', [])
  const routes = join(cwd, 'node_modules/assay/dist/src/api/explorer-routes.js')
  const folder = run(cwd, `import { builtExplorer } from '${routes}'; console.log(builtExplorer())`)
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(['assets', 'index.html', 'verify.html']))
})

test('a proof is checked where nothing but what an auditor needs is installed', () => {
  const cwd = project('auditor', NOT_FOR_AUDITORS)
  const failed = run(
    cwd,
    `import { verifyProof } from 'assay/proof'
     console.log((await verifyProof(new Uint8Array(8))).failed)`,
  )
  expect(failed).toBe('format')
})

test('a requester needs no more than an auditor', () => {
  const cwd = project('requester', NOT_FOR_AUDITORS)
  const code = run(
    cwd,
    `import { openClient } from 'assay/client'
     const client = openClient({ url: 'http://127.0.0.1:1' })
     console.log(await client.isReady().catch((error) => error.code))`,
  )
  expect(code).toBe('unreachable')
})
