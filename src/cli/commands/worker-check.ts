import { type Command, Option } from 'commander'
import { type ConformanceResult, runConformance } from '../../../compute/conformance/run-conformance.ts'
import { startModelRunner } from '../../../compute/runtime/model-runner.ts'
import { example } from '../example.ts'
import { EXIT } from '../exit-code.ts'
import { openTerminal } from '../terminal.ts'

interface CheckOptions {
  readonly provider: 'auto' | 'cpu' | 'cuda' | 'webgpu'
  readonly json?: boolean
}

export function addWorkerCheck(worker: Command): void {
  worker
    .command('check')
    .description(
      'try what this machine would compute with on operators in odd shapes; exit code 1 where one is wrong',
    )
    .addOption(
      new Option('--provider <name>', 'what runs the models')
        .choices(['auto', 'cpu', 'cuda', 'webgpu'])
        .default('auto'),
    )
    .option('--json', 'print the results as JSON')
    .addHelpText(
      'after',
      '\nEach operator runs on the provider and, without optimisation, on the CPU of the same machine. A worker does the same at its start.',
    )
    .addHelpText('after', example('assay worker check --provider cuda'))
    .action(check)
}

async function check({ provider, json = false }: CheckOptions): Promise<void> {
  const terminal = openTerminal(json)
  await using runner = await startModelRunner({
    provider,
    onEvent: (event) => {
      if (event.kind === 'provider_refused') terminal.line(`  – ${event.provider}: ${event.reason}`)
    },
  })
  terminal.line(`${runner.provider} on ${runner.device}`)
  const cases: ConformanceResult[] = []
  for await (const one of runConformance(runner)) {
    cases.push(one)
    terminal.line(one.fault === null ? `  ✓ ${one.name}` : `  ✗ ${one.name}: ${one.fault}`)
  }
  const wrong = cases.filter(({ fault }) => fault !== null).length
  const result = { ok: wrong === 0, provider: runner.provider, device: runner.device, cases }
  terminal.result(result, () =>
    wrong === 0
      ? `All ${cases.length} are computed rightly.`
      : `${wrong} of ${cases.length} are computed wrongly: work of this device would fail audits.`,
  )
  if (wrong > 0) process.exitCode = EXIT.checkFailed
}
