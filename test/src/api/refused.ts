import { expect } from 'vitest'
import { problemIn } from '../coordinator/peer.ts'
import type { Site } from '../coordinator/site.ts'

/** Sends what must be refused, and holds every row of the database and the log's head against what stood there before. */
export async function expectRefused(
  site: Site,
  send: () => Promise<Response>,
  expected: { status: number; code: string; [extension: string]: unknown },
): Promise<void> {
  const { log } = site.coordinator().books
  const before = { rows: site.everyRow(), size: log.size(), root: log.root() }
  const troubles = site.troubles.length
  const problem = await problemIn(await send())
  expect(problem).toMatchObject({ type: 'about:blank', ...expected })
  expect(problem.title).toBe(expected.code.replaceAll('_', ' '))
  expect(problem.detail).not.toBe('')
  expect({ rows: site.everyRow(), size: log.size(), root: log.root() }).toEqual(before)
  // A refusal is the sender's fault: nothing of it is for the operator's log.
  expect(site.troubles).toHaveLength(troubles)
}
