import type { LogStore } from '../log/log-store.ts'
import { addCheckpoint, type Witness } from './witness-client.ts'
import { WitnessError } from './witness-error.ts'

interface WitnessOutcome {
  /** Its key name. */
  readonly witness: string
  /** Unix seconds of its cosignature; null when there is none. */
  readonly timeUnix: number | null
  /** Why there is none; `witness_ahead` and `witness_conflict` are alarms. */
  readonly error: WitnessError | null
}

interface Cosigned {
  readonly size: number
  /** The log's signed head, with the cosignatures that verified after the log's own line. */
  readonly checkpoint: string
  /** In the order of the witnesses. */
  readonly outcomes: readonly WitnessOutcome[]
}

/** The head may move once, when another process of the same operator asks meanwhile; twice is somebody else's doing. */
const MAX_ATTEMPTS = 2

/**
 * Asks every witness at once to cosign the log's present head. One that fails keeps none of the others' from being
 * used. `sizes` remembers, by witness name, what each cosigned last; it is read and written, and may begin empty.
 */
export async function collectCosignatures(
  log: LogStore,
  witnesses: readonly Witness[],
  { sizes, signal }: { sizes: Map<string, number>; signal: AbortSignal },
): Promise<Cosigned> {
  const size = log.size()
  const checkpoint = log.checkpoint(size)
  const answers = await Promise.all(witnesses.map(ask))
  return {
    size,
    checkpoint: checkpoint + answers.map(({ line }) => line).join(''),
    outcomes: answers.map(({ outcome }) => outcome),
  }

  async function ask(witness: Witness): Promise<{ line: string; outcome: WitnessOutcome }> {
    const { name } = witness.key
    try {
      const { line, timeUnix } = await cosign(witness)
      sizes.set(name, size)
      return { line, outcome: { witness: name, timeUnix, error: null } }
    } catch (error) {
      if (!(error instanceof WitnessError)) throw error
      return { line: '', outcome: { witness: name, timeUnix: null, error } }
    }
  }

  async function cosign(witness: Witness): Promise<{ line: string; timeUnix: number }> {
    const { name } = witness.key
    let oldSize = Math.min(sizes.get(name) ?? 0, size)
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const proof = oldSize === 0 ? [] : log.proveTree(oldSize, size)
      const answer = await addCheckpoint(witness, { oldSize, proof, checkpoint }, signal)
      if (answer.kind === 'cosigned') return answer
      if (answer.size > size) {
        throw new WitnessError(
          'witness_ahead',
          `${name} has cosigned ${answer.size} entries, the log has ${size}`,
        )
      }
      if (answer.size === oldSize) {
        throw oldSize === size
          ? new WitnessError('witness_conflict', `${name} has cosigned another log of ${size} entries`)
          : new WitnessError('witness_malformed', `${name} conflicts with the very size that it names`)
      }
      oldSize = answer.size
    }
    throw new WitnessError('witness_busy', `the head that ${name} knows moves while it is asked`)
  }
}
