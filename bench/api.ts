/** What readers meet: the public API beside a bare express route, and the explorer. */
import { explorer } from './api/explorer.ts'
import { reads } from './api/reads.ts'
import type { Row } from './row.ts'

export async function* rows(): AsyncGenerator<Row> {
  yield* reads()
  yield* explorer()
}
