import type { ModelRunner } from '../runtime/model-runner.ts'
import type { ConformanceCase } from './conformance-cases.ts'
import { runConformance } from './run-conformance.ts'

/** The device computes something wrongly. Codes: `conformance_failed`. */
export class ConformanceError extends Error {
  override readonly name = 'ConformanceError'
  readonly code = 'conformance_failed'
}

/** Throws ConformanceError, which names every operator that the runner's provider gets wrong, unless its owner has said to go on despite them. */
export async function requireConformance(
  runner: ModelRunner,
  cases: readonly ConformanceCase[],
  { despiteFaults, onFault }: { despiteFaults: boolean; onFault: (fault: string) => void },
): Promise<void> {
  const faults: string[] = []
  for await (const { name, fault } of runConformance(runner, cases)) {
    if (fault === null) continue
    faults.push(name)
    onFault(`${name}: ${fault}`)
  }
  if (faults.length === 0 || despiteFaults) return
  throw new ConformanceError(
    `${runner.provider} on ${runner.device} computes wrongly: ${faults.join('; ')}. Its work would fail audits`,
  )
}
