import { z } from 'zod'
import type { ExecutionProfile } from '../work/receipt.ts'
import type { Tensor } from '../work/tensor-bundle.ts'
import { RUN_ERROR_CODES } from './run-error.ts'

/** The models, each by a profile, that a process holds loaded: the latest. Each has its weights in memory; few are served at a time. */
export const MAX_SESSIONS = 4

export type Provider = ExecutionProfile['provider']

/** What a subnet fixes for a model. Without `provider` it is the runner's own; `exact` work names `cpu`, on a GPU's worker, too. */
export type RequiredProfile = Pick<ExecutionProfile, 'optimization' | 'threads' | 'precision'> &
  Partial<Pick<ExecutionProfile, 'provider'>>

export type InputShape = Pick<Tensor, 'name' | 'datatype' | 'shape'>

/** From the worker to the process that holds ONNX Runtime; trusted there. */
export type RunnerRequest =
  /** Load the provider and run the conformance case on it. `gpu`: which one it sees, by PCI bus, for its name. */
  | { kind: 'start'; provider: Provider; gpu: number }
  /** Body: input bundles of so many bytes each, to be run one after the other. */
  | {
      kind: 'run'
      modelPath: string
      modelDigest: string
      provider: Provider
      profile: RequiredProfile
      sizes: number[]
    }
  /** Body: a model, run once on zeros on the CPU to learn the shapes of its outputs. */
  | { kind: 'shapes'; inputs: InputShape[] }

/** Back from it. Hostile models run there, so every reply is read as a stranger's. */
export const runnerReply = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('started'), device: z.string() }),
  /** Body: the output bundles in the order of the inputs, of so many bytes each. */
  z.strictObject({
    kind: z.literal('ran'),
    runs: z.array(
      z.strictObject({
        startedMs: z.int(),
        finishedMs: z.int(),
        batch: z.int().min(0),
        bytes: z.int().min(0),
      }),
    ),
    device: z.string(),
    ort: z.string(),
  }),
  z.strictObject({ kind: z.literal('shapes'), shapes: z.record(z.string(), z.array(z.int().min(0))) }),
  z.strictObject({ kind: z.literal('failed'), code: z.enum(RUN_ERROR_CODES), message: z.string() }),
])

export type RunnerReply = z.infer<typeof runnerReply>
