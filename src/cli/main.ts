import { CommanderError } from 'commander'
import { codeOf, EXIT, type ExitCode, exitCodeOf } from './exit-code.ts'
import { openProgram } from './program.ts'

/** Runs one command line. @returns the exit code; never throws. */
export async function main(args: readonly string[]): Promise<ExitCode> {
  const program = await openProgram(args[0] ?? null)
  try {
    await program.parseAsync(args, { from: 'user' })
    return process.exitCode === EXIT.checkFailed ? EXIT.checkFailed : EXIT.ok
  } catch (error) {
    // Help and version come as errors of exit code 0; commander has printed its own usage errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    const code = codeOf(error)
    const text = error instanceof Error ? error.message : String(error)
    // A worker's errors begin with their code.
    const said = text.startsWith(`${code}: `) ? text : `${text} (${code})`
    process.stderr.write(
      args.includes('--json') ? `${JSON.stringify({ code, error: text })}\n` : `assay: ${said}\n`,
    )
    if (code === 'internal' && error instanceof Error) process.stderr.write(`${error.stack}\n`)
    return exitCodeOf(error)
  }
}
