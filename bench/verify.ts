/** Verification of work: comparing outputs, drawing the sample, and what it costs. */
import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { compareOutputs } from '../compute/compare/compare-outputs.ts'
import type { ModelProfile, OutputBounds } from '../compute/work/model-profile.ts'
import { encodeTensorBundle } from '../compute/work/tensor-bundle.ts'
import { exactProfile } from '../src/client/exact-profile.ts'
import { auditRate, isSampled } from '../src/rules/sampling.ts'
import { honesty } from './honesty.ts'
import { medianSeconds, sideBySide } from './measure.ts'
import { type Row, rowOf } from './row.ts'

const ELEMENTS = 4_000_000
/** As many as ImageNet has classes. */
const ROW_ELEMENTS = 1_000
const FP32_BYTES = 4
const MIN_COMPARISON_RATIO = 0.5

const SUBMISSIONS = 16
const RECEIPTS_PER_SUBMISSION = 62_500
const MAX_SAMPLING_SECONDS = 1.5

export async function* rows(): AsyncGenerator<Row> {
  const exact = exactProfile()
  const data = randomBytes(ELEMENTS * FP32_BYTES)
  const last = data.length - 1
  const claimed = bundleOf(data)
  yield await comparison('equal', 'pass', exact, claimed, bundleOf(data))
  yield await comparison('different at the start', 'fail', exact, claimed, bundleOf(flipped(data, 0)))
  yield await comparison('different at the end', 'fail', exact, claimed, bundleOf(flipped(data, last)))
  const own = Float32Array.from({ length: ELEMENTS }, (_, index) => Math.sin(index))
  const near = bundleOf(bytesOf(own.map((value) => value * (1 + 2 ** -20))))
  yield await comparison('near', 'pass', tolerant(null), near, bundleOf(bytesOf(own)))
  yield await comparison('near, best of 1,000', 'pass', tolerant(BEST), near, bundleOf(bytesOf(own)))
  // One number a million times the others: what lies within its bound is far beyond that of the mean.
  const [tail, tailed] = [own.with(last >> 2, 1e9), own.with(last >> 2, 1e9 * (1 + 2 ** -18))]
  yield await comparison(
    'near, long tail',
    'pass',
    tolerant(null),
    bundleOf(bytesOf(tailed)),
    bundleOf(bytesOf(tail)),
  )
  yield await sampling()
  yield* honesty()
}

async function comparison(
  which: string,
  verdict: 'pass' | 'fail',
  profile: ModelProfile,
  claimed: Uint8Array,
  expected: Uint8Array,
): Promise<Row> {
  assert.equal(compareOutputs(profile, claimed, expected).verdict, verdict)
  const { oursSeconds, baselineSeconds } = await sideBySide(
    () => compareOutputs(profile, claimed, expected),
    () => [hash('sha256', claimed), hash('sha256', expected)],
  )
  const megabytes = (claimed.length + expected.length) / 1e6
  return rowOf({
    name: `outputs compared, ${which}, beside hashing both`,
    value: megabytes / oursSeconds,
    unit: 'MB/s',
    baseline: megabytes / baselineSeconds,
    bar: { on: 'ratio', is: '≥', bound: MIN_COMPARISON_RATIO },
  })
}

function bundleOf(data: Uint8Array): Uint8Array {
  const shape = [ELEMENTS / ROW_ELEMENTS, ROW_ELEMENTS]
  return encodeTensorBundle([{ name: 'output', datatype: 'FP32', shape, data }])
}

const bytesOf = ({ buffer }: Float32Array) => new Uint8Array(buffer)

/** Argmax of each row; a tie so narrow that every row has to be looked at. */
const BEST = { count: 1, tie: { digits: 2, scale: 6 } }

function tolerant(top: OutputBounds['top']): ModelProfile {
  const bounds = [{ atol: { digits: 0, scale: 0 }, output: 'output', rtol: { digits: 1, scale: 5 }, top }]
  return { comparison: 'tolerant', bounds, detections: [], precision: 'fp32' }
}

function flipped(data: Uint8Array, at: number): Uint8Array {
  return data.with(at, (data[at] ?? 0) ^ 1)
}

async function sampling(): Promise<Row> {
  const receipts = SUBMISSIONS * RECEIPTS_PER_SUBMISSION
  assert.deepEqual(
    drawSample().slice(0, 50),
    drawnByHand().slice(0, 50),
    'the sample is what the rule of DESIGN §7 draws',
  )
  return rowOf({
    name: `audit sampling of ${receipts} receipts`,
    value: await medianSeconds(drawSample),
    unit: 's',
    bar: { on: 'value', is: '≤', bound: MAX_SAMPLING_SECONDS },
  })
}

const BEACON = hash('sha256', 'beacon', 'buffer')
const SUBMISSION_IDS = Array.from({ length: SUBMISSIONS }, (_, i) =>
  hash('sha256', `submission ${i}`, 'buffer'),
)
const FLOOR = { numerator: 1n, denominator: 1_000n }
/** Of a worker that has much to lose: four times one over 400 is a rate of a hundredth. */
const STAKE = { rewardMsat: 1_000n, unmaturedMsat: 399_000n, floor: FLOOR }

/** As src/coordinator/audit-draw.ts: rate and draw of each receipt. @returns places of the sampled ones */
function drawSample(): string[] {
  const sampled: string[] = []
  for (const [at, submissionId] of SUBMISSION_IDS.entries()) {
    for (let index = 0; index < RECEIPTS_PER_SUBMISSION; index += 1) {
      const rate = auditRate(STAKE)
      if (isSampled({ beacon: BEACON, submissionId, index, rate })) sampled.push(`${at}/${index}`)
    }
  }
  return sampled
}

/** The same from the rule as written, without our arithmetic: the hash below a hundredth of 2^256, in hex. */
function drawnByHand(): string[] {
  const limit = ((1n << 256n) / 100n + 1n).toString(16).padStart(64, '0')
  const sampled: string[] = []
  for (const [at, submissionId] of SUBMISSION_IDS.entries()) {
    for (let index = 0; index < RECEIPTS_PER_SUBMISSION; index += 1) {
      const place = Buffer.alloc(4)
      place.writeUInt32BE(index)
      const digest = hash('sha256', Buffer.concat([BEACON, submissionId, place]))
      if (digest < limit) sampled.push(`${at}/${index}`)
    }
  }
  return sampled
}
