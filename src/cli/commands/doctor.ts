import type { Command } from 'commander'
import { loadConfig } from '../../config/load-config.ts'
import { examine } from '../../doctor/examine.ts'
import type { Finding } from '../../doctor/finding.ts'
import { example } from '../example.ts'
import { EXIT } from '../exit-code.ts'
import { openTerminal } from '../terminal.ts'

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('look at everything that a coordinator needs; exit code 1 where something fails')
    .requiredOption('--config <file>', 'the file that `assay init` wrote')
    .option('--json', 'print the findings as JSON')
    .addHelpText('after', '\nChanges nothing.')
    .addHelpText('after', example('assay doctor --config assay/assay.toml'))
    .action(async (options: { config: string; json?: boolean }) => {
      const config = loadConfig({ file: options.config, env: process.env })
      const terminal = openTerminal(options.json === true)
      const findings: Finding[] = []
      for await (const finding of examine(config)) {
        findings.push(finding)
        terminal.line(renderFinding(finding))
      }
      const ok = findings.every(({ state }) => state !== 'fail')
      terminal.result({ ok, findings }, renderCounts)
      if (!ok) process.exitCode = EXIT.checkFailed
    })
}

const MARKS: Readonly<Record<Finding['state'], string>> = { ok: '✓', warn: '!', fail: '✗' }
const CHECK_WIDTH = 10

function renderFinding({ state, check, detail, fix }: Finding): string {
  const line = `  ${MARKS[state]} ${check.padEnd(CHECK_WIDTH)}${detail}`
  return fix === null ? line : `${line}\n${''.padEnd(CHECK_WIDTH + 4)}→ ${fix}`
}

function renderCounts({ findings }: { findings: readonly Finding[] }): string {
  const count = (wanted: Finding['state']) => findings.filter(({ state }) => state === wanted).length
  const failing = count('fail')
  if (failing > 0)
    return `${failing} of ${findings.length} fail: do what the arrows say, then run this again.`
  const warnings = count('warn')
  return warnings === 0 ? 'All is well.' : `Nothing fails; ${warnings} to look at.`
}
