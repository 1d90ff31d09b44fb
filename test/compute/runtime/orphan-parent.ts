import { startModelRunner } from '../../../compute/runtime/model-runner.ts'
import { encodeTensorBundle } from '../../../compute/work/tensor-bundle.ts'

// Run by orphan.test.ts: starts endless work in a runner and prints the runner's process id.
const [modelPath = ''] = process.argv.slice(2)
let pid = 0
const runner = await startModelRunner({
  provider: 'cpu',
  onEvent: (event) => {
    if (event.kind === 'process_started') pid = event.pid
  },
})
const run = runner.run({
  modelPath,
  modelDigest: 'long',
  profile: { optimization: 'disabled', threads: 1, precision: 'fp32' },
  inputs: encodeTensorBundle([
    { name: 'x', datatype: 'FP32', shape: [1_024, 1_024], data: new Uint8Array(4 * 1_024 * 1_024) },
  ]),
  deadlineMs: Date.now() + 3_600_000,
})
process.stdout.write(`${pid}\n`)
await run
