import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { z } from 'zod'
import { addAnchor } from './commands/anchor.ts'
import { addDemo } from './commands/demo.ts'
import { addHeaders } from './commands/headers.ts'
import { addInit } from './commands/init.ts'
import { addLedger } from './commands/ledger.ts'
import { addPayout } from './commands/payout.ts'
import { addProof } from './commands/proof.ts'
import { addSubnet } from './commands/subnet.ts'
import { addUp } from './commands/up.ts'
import { addWorker } from './commands/worker.ts'
import { codeOf, EXIT, type ExitCode, exitCodeOf } from './exit-code.ts'

/** Runs one command line. @returns the exit code; never throws. */
export async function main(args: readonly string[]): Promise<ExitCode> {
  const program = new Command('assay')
    .description('Pays machines for AI work that they can prove, and writes the proof into Bitcoin.')
    .version(z.string().parse(createRequire(import.meta.url)('assay/package.json').version))
    .exitOverride()
    .configureHelp({ sortSubcommands: false, showGlobalOptions: true })
  for (const add of [
    addDemo,
    addInit,
    addUp,
    addWorker,
    addSubnet,
    addAnchor,
    addProof,
    addHeaders,
    addLedger,
    addPayout,
  ]) {
    add(program)
  }
  try {
    await program.parseAsync(args, { from: 'user' })
    return process.exitCode === EXIT.checkFailed ? EXIT.checkFailed : EXIT.ok
  } catch (error) {
    // Help and version come as errors of exit code 0; commander has printed its own usage errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    const code = codeOf(error)
    const text = error instanceof Error ? error.message : String(error)
    process.stderr.write(
      args.includes('--json') ? `${JSON.stringify({ code, error: text })}\n` : `assay: ${text} (${code})\n`,
    )
    if (code === 'internal' && error instanceof Error) process.stderr.write(`${error.stack}\n`)
    return exitCodeOf(error)
  }
}
