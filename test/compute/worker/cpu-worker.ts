import { newWorkerKey } from '../../../compute/work/worker-key.ts'
import type { WorkerOptions } from '../../../compute/worker/run-worker.ts'

type Given = 'coordinatorUrl' | 'dataDir' | 'signal' | 'onEvent'

/** A worker with a new key on one process of this machine's CPU, which takes any log for the right one and audits nothing. */
export function cpuWorker(own: Pick<WorkerOptions, Given> & Partial<WorkerOptions>): WorkerOptions {
  return {
    secretKey: newWorkerKey(),
    address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080',
    thresholdSats: 0n,
    provider: 'cpu',
    devices: null,
    concurrency: 1,
    maxModelBytes: 2 ** 30,
    despiteFaults: false,
    audit: 'never',
    trustLog: () => () => {},
    ...own,
  }
}
