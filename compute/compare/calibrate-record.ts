import { availableParallelism } from 'node:os'
import { admitModel } from '../onnx/admission.ts'
import type { ModelSignature } from '../onnx/signature.ts'
import { type ModelRunner, startModelRunner } from '../runtime/model-runner.ts'
import { RunError } from '../runtime/run-error.ts'
import type { Provider, RequiredProfile } from '../runtime/runner-message.ts'
import { joinRows, rowsOf, splitRows } from '../work/batch-rows.ts'
import { hex } from '../work/hex.ts'
import { sha256 } from '../work/tagged-hash.ts'
import { openModelFile } from './calibrate-model-file.ts'
import { inputsDigest, type MachineRuns } from './calibrate-runs.ts'

/** The CPU first: its plainest run is the reference. */
const PROVIDERS: readonly Provider[] = ['cpu', 'cuda', 'webgpu']

const OPTIMIZATIONS = ['disabled', 'basic', 'extended', 'all'] as const

/** Where kernels split a sum between threads, two already change its order. */
const MAX_THREADS = 4

/** Inputs that are run as one batch: another size makes other kernels and other sums. */
const BATCH_INPUTS = 8

/** For one run, loading included. */
const RUN_LIMIT_MS = 600_000

/** What audits compare with. */
const REFERENCE = { optimization: 'disabled', threads: 1, precision: 'fp32' } as const

/**
 * Runs a model over the inputs under every honest configuration that this machine has: providers, levels of optimisation, threads, batches.
 * Throws RunError, AdmissionError or ModelError. `onRun` hears of each configuration before it is run.
 */
export async function recordRuns({
  model,
  inputs,
  machine,
  onRun = () => {},
}: {
  model: Uint8Array
  inputs: readonly Uint8Array[]
  machine: string
  onRun?: (configuration: string) => void
}): Promise<MachineRuns> {
  const { signature } = admitModel(model)
  await using file = await openModelFile(model)
  const outputs: Uint8Array[] = []
  const places = new Map<string, number>()
  const runs: MachineRuns['runs'] = []
  /** Keeps each output once; answers where. */
  const pick = (output: Uint8Array): number => {
    const digest = hex(sha256(output))
    const place = places.get(digest) ?? outputs.push(output) - 1
    places.set(digest, place)
    return place
  }
  for (const provider of PROVIDERS) {
    const started = await startIfPresent(provider)
    if (started === null) continue
    await using runner = started
    for (const { profile, batch } of configurations(provider, isBatchable(signature))) {
      const configuration = `${provider} ${profile.optimization}, ${profile.threads} threads, batch ${batch}`
      onRun(configuration)
      const picks: number[] = []
      for (let start = 0; start < inputs.length; start += batch) {
        const group = inputs.slice(start, start + batch)
        for (const output of await runGroup(runner, file, profile, group)) picks.push(pick(output))
      }
      runs.push({ configuration, picks })
    }
  }
  return { v: 1, model: sha256(model), inputs: inputsDigest(inputs), machine, outputs, runs }
}

/**
 * Runs a model, on the reference's configuration, over each input by itself; `onInput` hears of each once it is run.
 * Throws as `recordRuns`.
 */
export async function runPlainly(
  model: Uint8Array,
  inputs: readonly Uint8Array[],
  onInput: () => void = () => {},
): Promise<Uint8Array[]> {
  await using file = await openModelFile(model)
  await using runner = await startModelRunner({ provider: 'cpu' })
  const outputs: Uint8Array[] = []
  for (const input of inputs) {
    outputs.push(...(await runGroup(runner, file, REFERENCE, [input])))
    onInput()
  }
  return outputs
}

function configurations(
  provider: Provider,
  batchable: boolean,
): { profile: RequiredProfile; batch: number }[] {
  const threads = provider === 'cpu' ? new Set([1, Math.min(MAX_THREADS, availableParallelism())]) : [1]
  return [1, ...(batchable ? [BATCH_INPUTS] : [])].flatMap((batch) =>
    [...threads].flatMap((count) =>
      OPTIMIZATIONS.map((optimization) => ({
        profile: { ...REFERENCE, optimization, threads: count },
        batch,
      })),
    ),
  )
}

async function runGroup(
  runner: ModelRunner,
  { modelPath, modelDigest }: { modelPath: string; modelDigest: string },
  profile: RequiredProfile,
  group: readonly Uint8Array[],
): Promise<Uint8Array[]> {
  const run = async (inputs: Uint8Array): Promise<Uint8Array> => {
    const deadlineMs = Date.now() + RUN_LIMIT_MS
    return (await runner.run({ modelPath, modelDigest, profile, inputs, deadlineMs })).outputs
  }
  const joined = group.length > 1 ? joinRows(group) : null
  const split = joined === null ? null : splitRows(await run(joined), group.map(rowsOf))
  if (split !== null) return split
  const outputs: Uint8Array[] = []
  for (const input of group) outputs.push(await run(input))
  return outputs
}

/** Whether rows of every input and output may be as many as one likes. */
function isBatchable({ inputs, outputs }: ModelSignature): boolean {
  return [...inputs, ...outputs].every(({ shape, datatype }) => shape[0] === null && datatype !== 'BYTES')
}

async function startIfPresent(provider: Provider): Promise<ModelRunner | null> {
  try {
    return await startModelRunner({ provider })
  } catch (error) {
    if (error instanceof RunError && error.code === 'provider_unavailable') return null
    throw error
  }
}
