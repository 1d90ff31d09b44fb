import type { Shape } from '../test/src/proof/synthetic-proof.ts'

/** A receipt in the middle of a million: sixteen submissions after the genesis entry, anchored in a large block. */
export const MILLION = {
  receipts: 62_500,
  receiptIndex: 31_250,
  entries: 17,
  entryIndex: 8,
  transactions: 3_000,
  position: 1_700,
} as const satisfies Shape
