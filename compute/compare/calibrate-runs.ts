import { z } from 'zod'
import { encodeCbor } from '../work/canonical-cbor.ts'
import { anyBytes, bytes32, integer, parseRecord } from '../work/record.ts'
import { sha256 } from '../work/tagged-hash.ts'
import { parseTensorBundle, TensorError } from '../work/tensor-bundle.ts'

/** The file is held in memory three times while it is checked. */
const MAX_RUNS_BYTES = 256 * 1024 * 1024

/** A few providers, four levels of optimisation, two of threads and two of batches. */
const MAX_RUNS = 256

/** More say nothing new about a model, and each is run under every configuration. */
export const MAX_INPUTS = 10_000

const runsSchema = z.strictObject({
  inputs: bytes32,
  machine: z.string().max(200),
  model: bytes32,
  outputs: z.array(anyBytes),
  runs: z
    .array(z.strictObject({ configuration: z.string().max(200), picks: z.array(integer).max(MAX_INPUTS) }))
    .min(1)
    .max(MAX_RUNS),
  v: z.literal(1),
})

/** What one honest machine made of the same inputs under each of its configurations. */
export interface MachineRuns {
  v: 1
  /** SHA-256 of the ONNX file. */
  model: Uint8Array
  /** `inputsDigest`. */
  inputs: Uint8Array
  /** For people. */
  machine: string
  /** Output bundles, each once: most configurations agree in most bits. */
  outputs: Uint8Array[]
  /** For every input in order, which of `outputs` came out. The first run is the reference. */
  runs: { configuration: string; picks: number[] }[]
}

/** Codes: `runs_malformed`, `runs_of_other_work`, `inputs_unfit`. */
export class CalibrationError extends Error {
  override readonly name = 'CalibrationError'
  readonly code: 'runs_malformed' | 'runs_of_other_work' | 'inputs_unfit'

  constructor(code: CalibrationError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Names a list of input bundles in its order. */
export function inputsDigest(inputs: readonly Uint8Array[]): Uint8Array {
  return sha256(Buffer.concat(inputs.map((input) => sha256(input))))
}

/** A file for the machine that calibrates. */
export function encodeMachineRuns(runs: MachineRuns): Uint8Array {
  return encodeCbor(runs)
}

/** Throws CalibrationError. Files come from other people's machines. */
export function parseMachineRuns(bytes: Uint8Array): MachineRuns {
  const runs = parseRecord(
    runsSchema,
    bytes,
    MAX_RUNS_BYTES,
    (detail, cause) => new CalibrationError('runs_malformed', detail, { cause }),
  )
  const count = runs.runs[0]?.picks.length
  for (const { configuration, picks } of runs.runs) {
    if (picks.length !== count || picks.some((pick) => pick >= runs.outputs.length)) {
      throw new CalibrationError('runs_malformed', `${configuration}: not one output for every input`)
    }
  }
  for (const output of runs.outputs) checkBundle(output)
  return runs
}

function checkBundle(bytes: Uint8Array): void {
  try {
    parseTensorBundle(bytes)
  } catch (cause) {
    if (cause instanceof TensorError) throw new CalibrationError('runs_malformed', cause.message, { cause })
    throw cause
  }
}
