import assert from 'node:assert/strict'
import { anchorVsize, buildAnchorTransaction } from '../../anchor/anchor-transaction.ts'
import { encodePayload } from '../../anchor/commitment.ts'
import { ANCHOR_SECRET_KEY, fill } from '../../test/src/proof/synthetic-proof.ts'
import { type Row, rowOf } from '../row.ts'

/** One input, one output, one OP_RETURN: an OpenTimestamps calendar's transaction, which names none before it. */
const OPEN_TIMESTAMPS_VSIZE = 152.25
const FEE_RATES_SAT_PER_VB = [1, 10, 100] as const
/** Every 6 blocks of ten minutes. */
const ANCHORS_PER_DAY = 24

/** An anchor costs the same whatever it commits to: one for a million receipts, and a day of them. */
export function* cost(): Generator<Row> {
  for (const method of ['dual', 'taproot'] as const) {
    const vsize = anchorVsize(method, false)
    assert.equal(builtVsize(method), vsize)
    for (const feeRateSatPerVb of FEE_RATES_SAT_PER_VB) {
      const sats = vsize * feeRateSatPerVb
      const baseline = OPEN_TIMESTAMPS_VSIZE * feeRateSatPerVb
      const at = `${feeRateSatPerVb} sat/vB, ${method}, beside OpenTimestamps`
      yield rowOf({ name: `a million receipts in one anchor at ${at}`, value: sats, unit: 'sat', baseline })
      yield rowOf({
        name: `a day of anchors at ${at}`,
        value: sats * ANCHORS_PER_DAY,
        unit: 'sat',
        baseline: baseline * ANCHORS_PER_DAY,
      })
    }
  }
}

/** Of a real transaction, signed. */
function builtVsize(method: 'dual' | 'taproot'): number {
  const payload = encodePayload({ index: 1, origin: 'bench', size: 1_000_000, root: fill('root') })
  const seal = { txid: Buffer.from(fill('seal')).toString('hex'), vout: 0, valueSats: 50_000n, payload: null }
  return buildAnchorTransaction({ method, secretKey: ANCHOR_SECRET_KEY, seal, payload, feeSats: 200n }).vsize
}
