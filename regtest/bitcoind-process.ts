import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { RegtestError } from './regtest-error.ts'

/** Flushing a regtest chain takes well under a second; a node that needs more is stuck and gets SIGKILL. */
const STOP_TIMEOUT_MS = 30_000
/** bitcoind says on stderr in a few lines why it doesn't start. */
const MAX_LAST_WORDS_CHARACTERS = 4000
/** Of util-linux, on every Debian, Ubuntu and Fedora. */
const SETPRIV = '/usr/bin/setpriv'

export interface BitcoindProcess {
  readonly pid: number
  /** Rejects with RegtestError `bitcoind_exited` when the process ends, for whatever reason. */
  readonly exited: Promise<never>
  /** SIGTERM, and SIGKILL to one that hangs. Returns when it has ended. Idempotent. */
  stop(): Promise<void>
  /** SIGKILL. Returns when it has ended. Idempotent. */
  kill(): Promise<void>
}

const alive = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/** Starts bitcoind so that it dies with this process. Throws RegtestError `bitcoind_start_failed`. */
export async function spawnBitcoind(binary: string, args: readonly string[]): Promise<BitcoindProcess> {
  const child = spawnBound(binary, args)
  let lastWords = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-MAX_LAST_WORDS_CHARACTERS)
  })
  alive.add(child)
  const ended = once(child, 'close').finally(() => alive.delete(child))
  try {
    await once(child, 'spawn')
  } catch (cause) {
    throw new RegtestError('bitcoind_start_failed', `${binary} can't be run`, { cause })
  }
  const { pid } = child
  if (pid === undefined) throw new TypeError('a spawned process has a pid')

  const exited = ended.then(([code, signal]) => {
    const how = signal === null ? `exit code ${code}` : `${signal}`
    throw new RegtestError('bitcoind_exited', `bitcoind ended (${how}) ${lastWords.trim()}`.trimEnd())
  })
  exited.catch(() => {}) // an end that nobody waits for is no error

  async function end(signal: NodeJS.Signals) {
    if (!alive.has(child)) return
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await ended.finally(() => clearTimeout(timer))
  }

  return { pid, exited, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') }
}

/**
 * On Linux the kernel ends the node even when this process is killed (prctl(2), PR_SET_PDEATHSIG, kept over
 * exec); elsewhere the `exit` hook above does what it can.
 */
function spawnBound(binary: string, args: readonly string[]): ChildProcess {
  const stdio: ['ignore', 'ignore', 'pipe'] = ['ignore', 'ignore', 'pipe']
  if (process.platform !== 'linux' || !existsSync(SETPRIV)) return spawn(binary, args, { stdio })
  return spawn(SETPRIV, ['--pdeathsig', 'KILL', '--', binary, ...args], { stdio })
}
