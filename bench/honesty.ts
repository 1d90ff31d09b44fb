/** What an honest worker's receipts cost to be audited, beside doing all of its work twice. */
import assert from 'node:assert/strict'
import { compareOutputs } from '../compute/compare/compare-outputs.ts'
import { encodeTensorBundle } from '../compute/work/tensor-bundle.ts'
import { exactProfile } from '../src/client/exact-profile.ts'
import { EPOCH } from '../src/demo/demo-plan.ts'
import { firstHeight, maturityHeight, settlementHeight } from '../src/rules/epoch.ts'
import { epochRules } from '../src/rules/epoch-rules.ts'
import { auditRate, isSampled, type Ratio } from '../src/rules/sampling.ts'
import { EPOCHS, named, RECEIPTS_PER_EPOCH, REWARD_MSAT } from '../src/simulate/setting.ts'
import { openBareRuntime } from './compute/bare-runtime.ts'
import { mlp } from './compute/bench-models.ts'
import { sideBySide } from './measure.ts'
import { type Row, rowOf } from './row.ts'

const ROUNDS = 3
/** The demo's. */
const FLOOR: Ratio = { numerator: 1n, denominator: 100n }
const RULES = epochRules({ epoch: { startHeight: 0, ...EPOCH } })
/** From which on a key has rewards to lose: until then every receipt of its is audited. */
const PROVEN_EPOCH = Array.from({ length: EPOCHS }, (_, epoch) => epoch).findIndex(
  (epoch) => unmaturedMsat(epoch) > 0n,
)

/**
 * Measured: drawing the sample, running each sampled receipt again on ONNX Runtime, comparing. Not measured, on either side: leases, commitments
 * and verdicts by HTTP.
 */
export async function* honesty(): AsyncGenerator<Row> {
  yield await beside('in the first epochs of a key', 0)
  yield await beside('once a key has rewards to lose', PROVEN_EPOCH)
}

async function beside(when: string, firstEpoch: number): Promise<Row> {
  const profile = exactProfile()
  await using runtime = await openBareRuntime(mlp(), 1)
  const claimed = bundleOf(await runtime.run())
  async function replay(): Promise<void> {
    const { verdict } = compareOutputs(profile, claimed, bundleOf(await runtime.run()))
    assert.equal(verdict, 'pass')
  }
  const receipts = (EPOCHS - firstEpoch) * RECEIPTS_PER_EPOCH
  const audited = sampled(firstEpoch)
  const { oursSeconds, baselineSeconds } = await sideBySide(
    async () => {
      for (let left = sampled(firstEpoch); left > 0; left -= 1) await replay()
    },
    async () => {
      for (let left = receipts; left > 0; left -= 1) await replay()
    },
    ROUNDS,
  )
  return rowOf({
    name: `cost of honesty ${when}: ${audited} of ${receipts} receipts run again, beside all of them`,
    value: oursSeconds,
    unit: 's',
    baseline: baselineSeconds,
  })
}

/** Receipts that are drawn from an epoch on, of an honest worker that began in epoch 0. */
function sampled(firstEpoch: number): number {
  let count = 0
  for (let epoch = firstEpoch; epoch < EPOCHS; epoch += 1) {
    const [beacon, submissionId] = [named('beacon', epoch), named('submission', epoch)]
    const stake = { rewardMsat: REWARD_MSAT, unmaturedMsat: unmaturedMsat(epoch), floor: FLOOR }
    for (let index = 0; index < RECEIPTS_PER_EPOCH; index += 1) {
      if (isSampled({ beacon, submissionId, index, rate: auditRate(stake) })) count += 1
    }
  }
  return count
}

/** What the epochs before have earned and not yet paid out, as an epoch begins. */
function unmaturedMsat(epoch: number): bigint {
  const height = firstHeight(epoch, RULES)
  let unmatured = 0n
  for (let before = 0; before < epoch; before += 1) {
    const isUnmatured = settlementHeight(before, RULES) < height && height <= maturityHeight(before, RULES)
    if (isUnmatured) unmatured += BigInt(RECEIPTS_PER_EPOCH) * REWARD_MSAT
  }
  return unmatured
}

function bundleOf(data: Uint8Array): Uint8Array {
  return encodeTensorBundle([{ name: 'y', datatype: 'FP32', shape: [1, data.length / 4], data }])
}
