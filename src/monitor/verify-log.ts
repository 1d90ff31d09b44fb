import { sha256 } from '../../compute/work/tagged-hash.ts'
import { readKeptHead, writeKeptHead } from './kept-head.ts'
import type { LogSource } from './log-source.ts'
import { type Observation, observeLog } from './observe-log.ts'
import { writeAtomically } from './write-atomically.ts'

interface VerifiedLog {
  readonly observation: Observation
  /** Where the evidence of a break was written; null when there is none. */
  readonly evidenceFile: string | null
}

/**
 * One look at a log, against the state in `stateFile`: kept anew when it holds; after a break left as it is, with the
 * evidence beside it. Throws MonitorError, ClientError.
 */
export async function verifyLog(
  source: LogSource,
  stateFile: string,
  verifierKey?: string,
  onProgress?: (done: number, of: number) => void,
): Promise<VerifiedLog> {
  const observation = await observeLog(source, await readKeptHead(stateFile), verifierKey, onProgress)
  if (observation.next !== null) {
    await writeKeptHead(stateFile, observation.next)
    return { observation, evidenceFile: null }
  }
  const { next: _next, ...evidence } = observation
  // Named by what it shows: the same break seen twice is one file, and another never overwrites it.
  const name = Buffer.from(sha256(Buffer.from(observation.served))).toString('hex', 0, 8)
  const evidenceFile = `${stateFile}.${observation.code}-${name}.json`
  await writeAtomically(evidenceFile, `${JSON.stringify({ v: 1, ...evidence }, null, 2)}\n`)
  return { observation, evidenceFile }
}
