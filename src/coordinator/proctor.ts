import { randomBytes } from 'node:crypto'
import { hex } from '../../compute/work/hex.ts'
import { jobId, parseJob } from '../../compute/work/job.ts'
import {
  type ExecutionProfile,
  encodeReceipt,
  outputCommitment,
  parseReceipt,
  receiptId,
} from '../../compute/work/receipt.ts'
import { receiptLeaf } from '../../compute/work/receipt-path.ts'
import { treeRoot } from '../../compute/work/receipt-tree.ts'
import { encodeHeader, signSubmission } from '../../compute/work/submission.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { publicKeyOf } from '../../compute/work/worker-key.ts'
import { signRegistration } from '../../compute/work/worker-registration.ts'
import type { ProctorKey } from '../keystore/proctor-key.ts'
import { type EpochRules, epochOf } from '../rules/epoch.ts'
import type { SubnetModel } from '../subnet/definition.ts'
import type { Books } from './books.ts'
import type { KnownJob, LeaseDesk } from './leases.ts'
import { receiptsOf } from './receipts-of.ts'
import { RefusedError } from './refused-error.ts'
import type { Registry } from './registry.ts'
import type { Result, ResultDesk } from './results.ts'
import type { SubmissionDesk } from './submissions.ts'
import { wrongAnswer } from './wrong-answer.ts'

export interface Proctor {
  /** Once an epoch: answers known questions wrong, as a worker would. @returns receipts planted; none where a worker would be refused. */
  plantDue(tip: number): Promise<number>
}

type Look = Omit<ExecutionProfile, 'batch' | 'precision'>
type PlantingKey = ProctorKey & { readonly worker: Uint8Array }

/** Its keys are suspended for what they do; the next one goes on. A thousand last for years. */
const MAX_KEYS = 1_000

/** Looked through for one of the model: milliseconds. */
const NEWEST_RECEIPTS = 1_000

/** What a receipt of a model that is bound to no provider tells, before anybody else has answered for it. */
const ANY_PROFILE = {
  device: 'x86-64-v3',
  optimization: 'all',
  ort: '1.30.0',
  provider: 'cpu',
  threads: 1,
} as const

export function openProctor(
  books: Books,
  parts: {
    origin: string
    rules: EpochRules
    keyOf: (index: number) => ProctorKey
    receiptsPerEpoch: number
    registry: Registry
    leases: LeaseDesk
    results: ResultDesk
    submissions: SubmissionDesk
  },
): Proctor {
  const { origin, keyOf, receiptsPerEpoch, registry, leases } = parts
  const countPlanted = books.db
    .prepare<[Uint8Array, number], bigint>('SELECT count(*) FROM job WHERE worker = ? AND epoch = ?')
    .pluck()
  const selectSuspended = books.db
    .prepare<[Uint8Array], bigint>(`SELECT 1 FROM standing WHERE worker = ? AND standing = 'suspended'`)
    .pluck()

  const selectNewest = books.db.prepare<[Uint8Array, string], { submission: bigint; position: bigint }>(
    `SELECT submission, position
       FROM (SELECT * FROM receipt ORDER BY submission DESC LIMIT ${NEWEST_RECEIPTS}) AS newest JOIN job ON job.number = newest.job
      WHERE model = ? AND lower(hex(worker)) NOT IN (SELECT value FROM json_each(?)) ORDER BY submission DESC LIMIT 1`,
  )

  /** Derived once: that takes milliseconds, and every block begins with the first. */
  const keys: PlantingKey[] = []

  /** By model, for one round. */
  const looks = new Map<string, Look>()

  function keyAt(index: number): PlantingKey {
    const known = keys[index]
    if (known !== undefined) return known
    const key = keyOf(index)
    const made = { ...key, worker: publicKeyOf(key.secretKey) }
    keys.push(made)
    return made
  }

  /** The first that is not suspended; null when all are. */
  function keyInUse(): PlantingKey | null {
    for (let index = 0; index < MAX_KEYS; index += 1) {
      const key = keyAt(index)
      if (selectSuspended.get(key.worker) === undefined) return key
    }
    return null
  }

  async function plantDue(tip: number): Promise<number> {
    try {
      return await plant(tip)
    } catch (error) {
      // Keys are free: whoever fills the table of workers keeps the proctor out, and must not stop the round with it.
      if (error instanceof RefusedError) return 0
      throw error
    }
  }

  async function plant(tip: number): Promise<number> {
    const epoch = epochOf(tip + 1, parts.rules)
    const key = receiptsPerEpoch === 0 || epoch === null ? null : keyInUse()
    if (key === null || epoch === null) return 0
    const { worker, secretKey, address } = key
    const due = receiptsPerEpoch - Number(countPlanted.get(worker, epoch))
    if (due <= 0) return 0
    looks.clear()
    registry.register(signRegistration(address, origin, secretKey))
    const wrong = leases.leaseCanaries(worker, due, epoch).flatMap(wrongOf).map(answer)
    if (wrong.length === 0) return 0
    await parts.results.accept(worker, wrong)
    submit(
      worker,
      secretKey,
      wrong.map(({ receipt }) => receipt),
    )
    return wrong.length
  }

  function wrongOf(known: KnownJob): (KnownJob & { outputs: Uint8Array })[] {
    const right = books.blobs.get(hex(known.known))
    const outputs = right === null ? null : wrongAnswer(right, known.model.model.profile)
    return outputs === null ? [] : [{ ...known, outputs }]
  }

  function answer({ job, model, outputs }: KnownJob & { outputs: Uint8Array }, index: number): Result {
    const salt = randomBytes(32)
    const nowMs = Date.now()
    const receipt = encodeReceipt({
      v: 1,
      job: jobId(job),
      output: outputCommitment(salt, sha256(outputs)),
      index,
      profile: executionProfile(model.model, parseJob(job).items),
      started: nowMs,
      finished: nowMs,
      energy: { method: 'none', millijoules: null },
    })
    return { receipt, outputs, salt }
  }

  function submit(worker: Uint8Array, secretKey: Uint8Array, receipts: readonly Uint8Array[]): void {
    const row = registry.find(worker)
    if (row === null) throw new Error('the proctor is registered')
    const header = encodeHeader({
      v: 1,
      worker,
      sequence: row.nextSequence,
      previous: row.previous,
      count: receipts.length,
      root: treeRoot(receipts.map((receipt) => receiptLeaf(receiptId(receipt)))),
      time: Date.now(),
    })
    const signature = signSubmission(header, origin, secretKey)
    parts.submissions.accept(worker, { header, receipts, signature })
  }

  function executionProfile({ digest, profile: required }: SubnetModel, batch: number): ExecutionProfile {
    const { precision } = required
    if (required.comparison === 'tolerant') return { ...lookOf(digest), precision, batch }
    const { device, optimization, ort, provider, threads } = required
    return { device, optimization, ort, precision, provider, threads, batch }
  }

  /** What the last of the others to answer for this model ran it on. */
  function lookOf(model: Uint8Array): Look {
    const known = looks.get(hex(model))
    if (known !== undefined) return known
    const newest = selectNewest.get(model, JSON.stringify(keys.map(({ worker }) => hex(worker))))
    const receipt =
      newest === undefined ? undefined : receiptsOf(books, Number(newest.submission))[Number(newest.position)]
    const look = receipt === undefined ? ANY_PROFILE : parseReceipt(receipt).profile
    looks.set(hex(model), look)
    return look
  }

  return { plantDue }
}
