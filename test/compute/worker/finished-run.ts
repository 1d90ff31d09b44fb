import { encodeTensorBundle } from '../../../compute/work/tensor-bundle.ts'
import type { FinishedRun } from '../../../compute/worker/spool.ts'
import { CPU_PROFILE } from './peer-coordinator.ts'

/** A run of `job` (id in hex) whose outputs are its id. */
export function finishedRun(job: string): FinishedRun {
  return {
    job: Buffer.from(job, 'hex'),
    outputs: encodeTensorBundle([
      { name: 'y', datatype: 'UINT8', shape: [32], data: Buffer.from(job, 'hex') },
    ]),
    startedMs: 1_760_000_000_000,
    finishedMs: 1_760_000_000_001,
    profile: { batch: 1, ...CPU_PROFILE },
    energy: { method: 'none', millijoules: null },
  }
}
