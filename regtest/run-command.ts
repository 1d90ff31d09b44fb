import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { RegtestError } from './regtest-error.ts'

const execute = promisify(execFile)

/** A slow mirror needs minutes for 27 MB; beyond that it is dead. */
const COMMAND_TIMEOUT_MS = 10 * 60_000
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024
const MAX_QUOTED_CHARACTERS = 2000

/** Standard output of a system program. Throws RegtestError `bitcoind_download_failed` with its last words. */
export async function runCommand(
  program: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<string> {
  try {
    const { stdout } = await execute(program, args, {
      timeout: COMMAND_TIMEOUT_MS,
      maxBuffer: MAX_OUTPUT_BYTES,
      signal,
    })
    return stdout
  } catch (cause) {
    signal?.throwIfAborted()
    const words = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : ''
    const reason = words === '' && cause instanceof Error ? cause.message : words
    throw new RegtestError(
      'bitcoind_download_failed',
      `${program} ${args[0] ?? ''}: ${reason.slice(-MAX_QUOTED_CHARACTERS)}`,
      { cause },
    )
  }
}
