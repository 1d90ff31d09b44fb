import { joinRows, rowsOf, splitRows } from '../work/batch-rows.ts'
import type { ModelRunner, RunRequest } from './model-runner.ts'
import { RunError } from './run-error.ts'

/** Beyond it no model in use gains anything, and one bad request costs too many others a second run. */
const MAX_ROWS = 256
/** Rows that cost so little more each are as good: the smaller batch keeps requesters waiting for less. */
const TOLERANCE = 1.05
/** The least of these counts: whatever else the machine does only adds to it. */
const TIMINGS = 3
/** The sweep goes no further once a run takes so long; a requester waits for it. */
const MAX_RUN_MS = 100

/**
 * Rows in one run from which on a row costs no less: tried with 1, 2, 4, … times the request's own inputs. 1 where the model does not
 * take them together, or does not give a row for each. Throws what is no RunError.
 */
export async function largestUsefulBatch(
  runner: Pick<ModelRunner, 'run'>,
  request: RunRequest,
): Promise<number> {
  const ownRows = rowsOf(request.inputs)
  const tried: { rows: number; msPerRow: number }[] = []
  for (let copies = 1; ownRows > 0 && copies * ownRows <= MAX_ROWS; copies *= 2) {
    const inputs = joinRows(Array.from({ length: copies }, () => request.inputs))
    const tookMs = inputs === null ? null : await leastTimeOf(runner, { ...request, inputs })
    if (tookMs === null) break
    tried.push({ rows: copies * ownRows, msPerRow: tookMs / (copies * ownRows) })
    if (tookMs > MAX_RUN_MS) break
  }
  const least = Math.min(...tried.map(({ msPerRow }) => msPerRow))
  return tried.find(({ msPerRow }) => msPerRow <= least * TOLERANCE)?.rows ?? 1
}

/** Null where it fails, is not run as the batch that it is, or its outputs are nobody's in particular. */
async function leastTimeOf(runner: Pick<ModelRunner, 'run'>, request: RunRequest): Promise<number | null> {
  const rows = rowsOf(request.inputs)
  let least = Number.POSITIVE_INFINITY
  try {
    // The first run loads the model and settles shapes.
    const { outputs, profile } = await runner.run(request)
    if (profile.batch !== rows || splitRows(outputs, [rows]) === null) return null
    for (let i = 0; i < TIMINGS; i += 1) {
      const startedMs = performance.now()
      await runner.run(request)
      least = Math.min(least, performance.now() - startedMs)
    }
    return least
  } catch (error) {
    if (!(error instanceof RunError)) throw error
    return null
  }
}
