import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** One of the product's own programs, run as a user would run it: `assay up`, `assay worker`. */
export interface Program extends AsyncDisposable {
  readonly name: string
  /** Null while it runs. */
  exited(): string | null
  /** SIGKILL: what a power cut leaves behind. */
  kill(): Promise<void>
  /** SIGTERM: drains and ends; SIGKILL after a while. */
  stop(): Promise<void>
}

export const CLI = fileURLToPath(new URL('../cli/assay.js', import.meta.url))
const STOP_LIMIT_MS = 15_000

export function startProgram(
  name: string,
  args: readonly string[],
  options: { env?: Record<string, string>; logFile: string },
): Program {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log = createWriteStream(options.logFile, { flags: 'a' })
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  // A parent that ends in a hurry takes its children along.
  const onExit = () => void child.kill('SIGKILL')
  process.once('exit', onExit)
  const ended = once(child, 'close').then(() => {
    process.off('exit', onExit)
    log.end()
  })

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (!isOver(child)) child.kill(signal)
    await ended
  }

  async function stop(): Promise<void> {
    const cut = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
    await end('SIGTERM')
    clearTimeout(cut)
  }

  return {
    name,
    exited: () =>
      isOver(child)
        ? `${name} ended by itself (${child.exitCode ?? child.signalCode}); see ${options.logFile}`
        : null,
    kill: () => end('SIGKILL'),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function isOver({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}
