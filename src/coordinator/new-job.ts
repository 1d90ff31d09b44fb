import { randomBytes } from 'node:crypto'
import type { Job } from '../../compute/work/job.ts'
import {
  encodeJob,
  encodeOriginRecord,
  inputCommitment,
  jobId,
  originCommitment,
} from '../../compute/work/job.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import type { Draft } from './lease-drafts.ts'

/** A draft as a job of its own, with the secrets behind its commitments. `deadline` in ms. */
export function newJob(
  draft: Pick<Draft, 'subnet' | 'model' | 'origin' | 'inputs' | 'items'>,
  deadline: number,
) {
  const inputDigest = sha256(draft.inputs)
  // One call: each costs more than its bytes.
  const random = randomBytes(80)
  const inputSalt = random.subarray(0, 32)
  const originSalt = random.subarray(32, 64)
  const originRecord = encodeOriginRecord(draft.origin)
  const job: Job = {
    v: 1,
    subnet: draft.subnet.name,
    model: draft.model.digest,
    input: inputCommitment(inputSalt, inputDigest),
    origin: originCommitment(originSalt, originRecord),
    items: draft.items,
    deadline,
    nonce: random.subarray(64),
  }
  const bytes = encodeJob(job)
  const units = BigInt(draft.items) * BigInt(draft.model.unitsPerItem)
  return { id: jobId(bytes), bytes, inputDigest, inputSalt, originSalt, originRecord, units }
}
