import { inputCommitment, jobId, parseJob } from '../../compute/work/job.ts'
import { outputCommitment, type Receipt } from '../../compute/work/receipt.ts'
import { ClientError } from '../client/ask-coordinator.ts'
import { digestOf } from './client-tensor.ts'
import type { Inference } from './infer-message.ts'

/**
 * That the receipt is of these outputs, its job of those inputs, and of that model where its digest is given. Throws ClientError
 * `job_not_committed`, `inputs_not_committed`, `model_not_committed`, `outputs_not_committed`, `outputs_incomplete`.
 */
export function checkCommitments(inference: Inference, receipt: Receipt, modelDigest?: Uint8Array): void {
  const bytes = bytesOf(inference.job)
  assertSame(jobId(bytes), receipt.job, 'job_not_committed', 'the receipt is of another job')
  const job = parseJob(bytes)
  assertSame(
    inputCommitment(bytesOf(inference.inputSalt), bytesOf(inference.inputDigest)),
    job.input,
    'inputs_not_committed',
    "the receipt's job is not of the inputs that went",
  )
  if (modelDigest !== undefined) {
    assertSame(modelDigest, job.model, 'model_not_committed', "the receipt's job is of another model")
  }
  const [code, why] = inference.hasNamedOutputs
    ? ([
        'outputs_incomplete',
        'outputs were named, and the receipt commits to all of the model’s at once',
      ] as const)
    : (['outputs_not_committed', 'the receipt is not of the outputs that came'] as const)
  const output = outputCommitment(bytesOf(inference.outputSalt), digestOf(inference.outputs))
  assertSame(output, receipt.output, code, why)
}

function bytesOf(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex')
}

function assertSame(one: Uint8Array, other: Uint8Array, code: string, why: string): void {
  if (Buffer.compare(one, other) !== 0) throw new ClientError(code, null, why)
}
