import { inspect } from 'node:util'
import { CommanderError } from 'commander'
import { ClientError } from '../client/ask-coordinator.ts'
import { escapeControls } from './escape-controls.ts'
import { codeOf, EXIT, type ExitCode, exitCodeOf } from './exit-code.ts'
import { openProgram } from './program.ts'

/** Runs one command line. @returns the exit code; never throws. */
export async function main(args: readonly string[]): Promise<ExitCode> {
  const isJson = args.includes('--json')
  let usage = ''
  const program = await openProgram(args[0] ?? null, (text) => {
    usage += text
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return process.exitCode === EXIT.checkFailed ? EXIT.checkFailed : EXIT.ok
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version come as errors of exit code 0.
      if (error.exitCode === 0) return EXIT.ok
      const text = usage.trim().replace(/^error: /, '')
      process.stderr.write(isJson ? `${JSON.stringify({ code: 'usage', error: text })}\n` : usage)
      return EXIT.usage
    }
    const code = codeOf(error)
    const text = error instanceof Error ? error.message : String(error)
    // A worker's errors begin with their code.
    const said = text.startsWith(`${code}: `) ? text : `${text} (${code})`
    const line = isJson ? JSON.stringify({ code, error: text }) : `assay: ${said}`
    // Where a coordinator says so, the bug and its trace are there.
    const bug = code === 'internal' && !(error instanceof ClientError) ? `${inspect(error)}\n` : ''
    process.stderr.write(escapeControls(`${line}\n${bug}`))
    return exitCodeOf(error)
  }
}
