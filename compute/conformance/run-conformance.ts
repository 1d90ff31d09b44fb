import { openModelFile } from '../compare/calibrate-model-file.ts'
import { compareTolerant } from '../compare/tolerant.ts'
import type { ModelRunner, RunResult } from '../runtime/model-runner.ts'
import { OWN_CHOICE } from '../runtime/own-choice.ts'
import { RunError } from '../runtime/run-error.ts'
import type { RequiredProfile } from '../runtime/runner-message.ts'
import { type ConformanceCase, conformanceCases } from './conformance-cases.ts'

/** Loading included. The first kernels of a GPU are compiled meanwhile. */
const RUN_LIMIT_MS = 60_000

/** The plainest that ONNX Runtime does, on the same machine: what the others are measured by. */
const REFERENCE = { optimization: 'disabled', threads: 1, precision: 'fp32', provider: 'cpu' } as const

export interface ConformanceResult {
  /** The operator first. */
  readonly name: string
  /** null: computed rightly. */
  readonly fault: string | null
}

/**
 * Runs each case on the runner's own provider and on the plain CPU, and compares. It shows an honest owner which operator a device or
 * driver gets wrong; who means to cheat passes it.
 */
export async function* runConformance(
  runner: ModelRunner,
  cases: readonly ConformanceCase[] = conformanceCases(),
): AsyncGenerator<ConformanceResult> {
  for (const one of cases) yield { name: one.name, fault: await faultOf(runner, one) }
}

async function faultOf(
  runner: ModelRunner,
  { model, inputs, bounds }: ConformanceCase,
): Promise<string | null> {
  await using file = await openModelFile(model)
  const { modelPath, modelDigest } = file
  const run = (profile: RequiredProfile): Promise<RunResult> =>
    runner.run({ modelPath, modelDigest, profile, inputs, deadlineMs: Date.now() + RUN_LIMIT_MS })
  try {
    const reference = await run(REFERENCE)
    const { verdict, reason } = compareTolerant(
      (await run({ ...OWN_CHOICE, precision: 'fp32' })).outputs,
      reference.outputs,
      bounds,
    )
    return verdict === 'pass' ? null : reason
  } catch (error) {
    if (error instanceof RunError) return `${error.code}: ${error.message}`
    throw error
  }
}
