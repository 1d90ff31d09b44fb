import { OWN_CHOICE } from '../runtime/own-choice.ts'
import { RunError } from '../runtime/run-error.ts'
import type { MeteredResult } from '../runtime/run-metered.ts'
import type { RunnerPool } from '../runtime/runner-pool.ts'
import { hex } from '../work/hex.ts'
import { inputCommitment, JobError, parseJob } from '../work/job.ts'
import { type ModelProfile, profileMismatch } from '../work/model-profile.ts'
import type { ExecutionProfile } from '../work/receipt.ts'
import { bundleDigest, MAX_BUNDLE_BYTES } from '../work/tensor-bundle.ts'
import type { Catalog } from './catalog.ts'
import type { ModelCache } from './model-cache.ts'
import { ModelError } from './model-error.ts'

/** Outputs travel in a body of as many bytes, with a receipt beside them. */
const MAX_OUTPUT_BYTES = MAX_BUNDLE_BYTES - 64 * 1024
/** The coordinator's limit. */
const MAX_REASON_LENGTH = 500

export interface Bench {
  readonly catalog: Catalog
  readonly models: ModelCache
  readonly runner: Pick<RunnerPool, 'run'>
}

export interface Assignment {
  /** Encoded. */
  readonly job: Uint8Array
  /** Tensor bundle, and the salt of the job's commitment to it. */
  readonly inputs: Uint8Array
  readonly salt: Uint8Array
}

class AssignmentError extends Error {
  readonly code: 'inputs_mismatch' | 'model_unknown' | 'profile_mismatch' | 'outputs_too_large'

  constructor(code: AssignmentError['code'], message: string) {
    super(message)
    this.name = 'AssignmentError'
    this.code = code
  }
}

/**
 * Runs a job as its model's profile wants it, by the job's own deadline or the given one (Unix ms).
 * Throws what `reasonOf` explains, and CoordinatorError.
 */
export async function executeJob(
  { catalog, models, runner }: Bench,
  { job: bytes, inputs, salt }: Assignment,
  deadlineMs?: number,
): Promise<MeteredResult> {
  const job = parseJob(bytes)
  if (Buffer.compare(inputCommitment(salt, bundleDigest(inputs)), job.input) !== 0) {
    throw new AssignmentError('inputs_mismatch', 'the inputs are not those that the job commits to')
  }
  const modelDigest = hex(job.model)
  const profile = await catalog.profile(modelDigest)
  if (profile === null) throw new AssignmentError('model_unknown', `no subnet has model ${modelDigest}`)
  const required = profile.comparison === 'exact' ? profile : { ...OWN_CHOICE, precision: profile.precision }
  const mayJoin = profile.comparison === 'tolerant'
  const run = { modelDigest, profile: required, inputs, mayJoin, deadlineMs: deadlineMs ?? job.deadline }
  const result = await models.use(modelDigest, (modelPath) => runner.run({ ...run, modelPath }))
  checkProfile(profile, result.profile)
  if (result.outputs.length > MAX_OUTPUT_BYTES) {
    throw new AssignmentError('outputs_too_large', `${result.outputs.length} bytes of outputs`)
  }
  return result
}

/** Why a job could not be run, for the coordinator; null for what is no such reason. */
export function reasonOf(error: unknown): string | null {
  const isKnown =
    error instanceof RunError ||
    error instanceof ModelError ||
    error instanceof AssignmentError ||
    error instanceof JobError
  return isKnown ? `${error.code}: ${error.message}`.slice(0, MAX_REASON_LENGTH) : null
}

/** A receipt of another profile would be refused: better to say so now, and why. */
function checkProfile(required: ModelProfile, actual: ExecutionProfile): void {
  const wrong = profileMismatch(required, actual.batch, actual)
  if (wrong === null) return
  const detail = `${wrong.key}: the model needs ${wrong.expected}, here it is ${wrong.received}`
  throw new AssignmentError('profile_mismatch', detail)
}
