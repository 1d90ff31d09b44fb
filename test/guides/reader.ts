import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { findBitcoind } from '../../regtest/find-bitcoind.ts'
import { freePort } from '../../regtest/free-port.ts'
import { ROOT } from '../docs/documents.ts'
import { blocksOf } from './blocks.ts'

/** What the guides say; here other programs may have these ports. */
const GUIDE_PORTS = { coordinator: 8380, node: 18443 } as const
/** Commands that look at the guides' port by themselves. */
const DEFAULT_URL =
  /^(assay (?:status|auditor list|(?:anchor|payout) status|ledger \w+|proof get|submit))\b/gm

/** Somebody with a home of their own who types what the guides say. */
export interface Reader extends AsyncDisposable {
  /** The blocks of one guide in their order, up to the first command that fails; then what was said throws. */
  follow(guide: string): Promise<string>
}

/** Null where there is no bitcoin-cli to type. */
export async function openReader(): Promise<Reader | null> {
  const cli = await bitcoinCli()
  if (cli === null) return null
  const home = mkdtempSync(join(tmpdir(), 'assay-guides-'))
  const ports = { coordinator: await freePort(), node: await freePort() }
  const bin = join(home, 'bin')
  mkdirSync(bin)
  mkdirSync(join(home, '.bitcoin'))
  writeFileSync(join(home, '.bitcoin/bitcoin.conf'), `[regtest]\nrpcport=${ports.node}\nlisten=0\nserver=1\n`)
  // What the reader's checkout has.
  for (const name of ['compute', 'node_modules', 'package.json'])
    symlinkSync(join(ROOT, name), join(home, name))
  script(join(bin, 'assay'), `exec "${process.execPath}" "${join(ROOT, 'src/cli/assay.js')}" "$@"`)
  script(join(bin, 'bitcoind'), `exec "${await findBitcoind(undefined, {})}" "$@"`)
  script(join(bin, 'bitcoin-cli'), cli)
  const env = {
    HOME: home,
    PATH: `${bin}:${dirname(process.execPath)}:${process.env.PATH ?? ''}`,
    ASSAY_BITCOIND_URL: `http://127.0.0.1:${ports.node}`,
    ASSAY_LISTEN_PORT: String(ports.coordinator),
  }
  const groups: number[] = []

  function run(source: string): Promise<string> {
    // A group of its own: what the guide leaves running ends with it.
    const child = spawn('bash', ['-c', source], {
      cwd: home,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    if (child.pid !== undefined) groups.push(child.pid)
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text
      })
    }
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    child.on('error', reject)
    // Not "close": terminals of the guide hold the pipes.
    child.on('exit', (code) => (code === 0 ? resolve(said) : reject(new Error(`exit code ${code}\n${said}`))))
    return promise
  }

  return {
    follow: (guide) => run(scriptOf(guide, ports)),
    async [Symbol.asyncDispose]() {
      for (const group of groups) endGroup(group)
      await run(
        'bitcoin-cli -regtest stop; while [ -e ~/.bitcoin/regtest/bitcoind.pid ]; do sleep 0.1; done',
      ).catch(() => null)
      rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    },
  }
}

/** One program of bash: terminals in the background, all else in turn, each command shown. */
function scriptOf(guide: string, ports: { coordinator: number; node: number }): string {
  const blocks = blocksOf(guide, 'sh').flatMap(({ mark, text }, at) => {
    if (mark === 'elsewhere') return []
    return mark === 'terminal' ? [`(\n${text}) > ~/terminal-${at}.log 2>&1 &`] : [text]
  })
  const typed = blocks
    .join('\n')
    .replaceAll(DEFAULT_URL, `$1 --url http://127.0.0.1:${GUIDE_PORTS.coordinator}`)
    .replaceAll(String(GUIDE_PORTS.coordinator), String(ports.coordinator))
    .replaceAll(String(GUIDE_PORTS.node), String(ports.node))
  return `set -euo pipefail\ntrap 'echo "line $LINENO: $BASH_COMMAND"' ERR\n${typed}`
}

/** What starts bitcoin-cli, where it came with the bitcoind; null where only that was fetched. */
async function bitcoinCli(): Promise<string | null> {
  const bitcoind = await findBitcoind(undefined, {})
  const beside = join(dirname(bitcoind), 'bitcoin-cli')
  if (existsSync(beside)) return `exec "${beside}" "$@"`
  // Debian's package is started by a script through its own loader (regtest/fetch-debian.ts).
  if (!existsSync(join(dirname(bitcoind), 'usr/bin/bitcoin-cli'))) return null
  return readFileSync(bitcoind, 'utf8')
    .replaceAll('"$0"', `"${bitcoind}"`)
    .replaceAll('usr/bin/bitcoind', 'usr/bin/bitcoin-cli')
}

function script(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
}

function endGroup(group: number): void {
  try {
    process.kill(-group, 'SIGTERM')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
