import type { Command } from 'commander'
import { CUDA_FIXES, type CudaPart, missingCudaParts } from '../../../compute/runtime/cuda-parts.ts'
import { installCuda } from '../../../compute/runtime/install-cuda.ts'
import { example } from '../example.ts'
import { EXIT } from '../exit-code.ts'
import { openTerminal } from '../terminal.ts'

export function addWorkerInstallCuda(worker: Command): void {
  worker
    .command('install-cuda')
    .description(
      "fetch ONNX Runtime's CUDA provider and say what else is missing; exit code 1 where something is",
    )
    .option('--check', 'only say what is missing')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nlinux/x64 alone. About 200 MB from api.nuget.org, for the onnxruntime-node that is installed.',
    )
    .addHelpText('after', example('assay worker install-cuda --check'))
    .action(async ({ check = false, json = false }: { check?: boolean; json?: boolean }) => {
      const before = await missingCudaParts()
      if (!check && before.includes('provider files')) await installCuda()
      const missing = check ? before : await missingCudaParts()
      openTerminal(json).result({ ok: missing.length === 0, missing }, () => renderMissing(missing))
      if (missing.length > 0) process.exitCode = EXIT.checkFailed
    })
}

function renderMissing(missing: readonly CudaPart[]): string {
  if (missing.length === 0) return 'Nothing is missing. Try it: assay worker check --provider cuda'
  return missing.map((part) => `✗ ${part}: ${CUDA_FIXES[part]}`).join('\n')
}
