/** The whole demo, from a job to a paid and proved receipt, on a real bitcoind. */
import assert from 'node:assert/strict'
import { runDemo } from '../src/demo/run-demo.ts'
import { type Row, rowOf } from './row.ts'

/** On two cores, with a bitcoind at hand. */
const MAX_DEMO_SECONDS = 90

export async function* rows(): AsyncGenerator<Row> {
  const { ok, receipts, seconds, proofs } = await runDemo({ onEvent: () => undefined })
  assert(ok, 'every check of the demo holds')
  assert.equal(proofs.verified, receipts)
  yield rowOf({ name: 'receipts through the whole demo', value: receipts / seconds, unit: 'receipts/s' })
  yield rowOf({
    name: 'the demo, from an empty folder to the last proof',
    value: seconds,
    unit: 's',
    bar: { on: 'value', is: '≤', bound: MAX_DEMO_SECONDS },
  })
}
