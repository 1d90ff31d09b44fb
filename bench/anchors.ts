/** Anchors: receipt tree, headers, sizes of proofs, cost. */
import { cost } from './anchors/cost.ts'
import { headers } from './anchors/headers.ts'
import { proofSize } from './anchors/proof-size.ts'
import { receiptTree } from './anchors/receipt-tree.ts'
import type { Row } from './row.ts'

export async function* rows(): AsyncGenerator<Row> {
  yield* receiptTree()
  yield* headers()
  yield* proofSize()
  yield* cost()
}
