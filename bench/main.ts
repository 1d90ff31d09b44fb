/** `npm run bench -- NAME [--json]`: docs/BENCHMARKS.md. */
import { runBench, type Suite } from './run-bench.ts'

const SUITES = new Map<string, Suite>([
  ['log', { load: () => import('./log.ts') }],
  ['proofs', { load: () => import('./proofs.ts') }],
  ['anchors', { load: () => import('./anchors.ts') }],
  ['money', { load: () => import('./money.ts') }],
  ['verify', { load: () => import('./verify.ts') }],
  ['compute', { load: () => import('./compute.ts'), isSlow: true }],
  ['api', { load: () => import('./api.ts'), isSlow: true }],
  ['demo', { load: () => import('./demo.ts'), isSlow: true }],
])

process.exitCode = await runBench(process.argv.slice(2), SUITES, (line) => console.log(line))
