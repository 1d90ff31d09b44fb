import { randomBytes } from 'node:crypto'
import { taprootAddress } from '../../anchor/taproot-address.ts'
import { encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { hex } from '../../compute/work/hex.ts'
import { encodeReceipt, outputCommitment, receiptId } from '../../compute/work/receipt.ts'
import { receiptLeaf } from '../../compute/work/receipt-path.ts'
import { treeRoot } from '../../compute/work/receipt-tree.ts'
import { encodeHeader, signSubmission, submissionId } from '../../compute/work/submission.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { publicKeyOf } from '../../compute/work/worker-key.ts'
import { signRegistration } from '../../compute/work/worker-registration.ts'
import { newJob } from '../../src/coordinator/new-job.ts'
import type { Opening } from '../../src/log/opening.ts'
import { TINY_PROFILE } from '../../test/src/coordinator/tiny-market.ts'
import type { MirrorWriter } from './mirror-folder.ts'
import { itemInputs, type Stall } from './open-market.ts'

export const REQUESTER = 'acme'
/** Every answer: what it is plays no part, as long as auditors find the same. */
export const OUTPUT = sha256(Buffer.from('output'))

/** Of every job; answers come one each millisecond. */
export const LEASED_MS = 1_760_000_000_000

/** One piece of work. `item`: of the open dataset; null for a request. */
export interface Task {
  readonly stall: Stall
  readonly item: number | null
}

export interface SubmittedReceipt extends Task {
  readonly receipt: Uint8Array
  readonly opening: Opening
  readonly worker: BenchWorker
  readonly submission: Uint8Array
  readonly position: number
  readonly units: bigint
}

/** A key that signs what it registers and submits. */
export interface BenchWorker {
  readonly key: Uint8Array
  readonly hex: string
  /** Logs the jobs, then one submission over their receipts. */
  work(epoch: number, tasks: readonly Task[]): SubmittedReceipt[]
}

/** Registers at once. */
export function openBenchWorker(mirror: MirrorWriter, origin: string, secretKey: Uint8Array): BenchWorker {
  const key = publicKeyOf(secretKey)
  let sequence = 0
  let previous: Uint8Array = new Uint8Array(32)
  mirror.append({
    v: 1,
    kind: 'worker',
    ...signRegistration(taprootAddress(key, 'regtest'), origin, secretKey),
  })

  function submit(receipts: readonly Uint8Array[]): Uint8Array {
    const root = treeRoot(receipts.map((one) => receiptLeaf(receiptId(one))))
    const count = receipts.length
    const header = encodeHeader({ v: 1, worker: key, sequence, previous, count, root, time: LEASED_MS })
    mirror.append({
      v: 1,
      kind: 'submission',
      header,
      signature: signSubmission(header, origin, secretKey),
      receipts: mirror.put(encodeCbor(receipts)),
    })
    sequence += 1
    previous = submissionId(header)
    return previous
  }

  const worker: BenchWorker = {
    key,
    hex: hex(key),
    work(epoch, tasks) {
      const leased = tasks.map((task) => ({ ...task, ...jobOf(task) }))
      const ids = leased.map(({ id }) => id)
      const jobs = mirror.put(encodeCbor(leased.map(({ bytes }) => bytes)))
      mirror.append({
        v: 1,
        kind: 'jobs',
        worker: key,
        epoch,
        leasedMs: LEASED_MS,
        count: ids.length,
        root: treeRoot(ids),
        jobs,
      })
      const answers = ids.map((id, index) => receiptOf(id, index))
      const submission = submit(answers.map(({ receipt }) => receipt))
      return answers.map(({ receipt, outputSalt }, position) => {
        const job = leased[position]
        if (job === undefined) throw new Error('an answer for each job')
        const { stall, item, id, inputDigest, inputSalt, originRecord, originSalt, units } = job
        const opening = {
          answeredMs: LEASED_MS + position,
          input: inputDigest,
          inputSalt,
          job: id,
          origin: originRecord,
          originSalt,
          output: OUTPUT,
          outputSalt,
        }
        return { stall, item, receipt: receiptId(receipt), opening, worker, submission, position, units }
      })
    },
  }
  return worker
}

function jobOf({ stall: { subnet, model, list }, item }: Task): ReturnType<typeof newJob> {
  const origin =
    item === null
      ? ({ kind: 'request', requester: REQUESTER } as const)
      : ({ kind: 'dataset', dataset: list, item } as const)
  const inputs = item === null ? randomBytes(32) : itemInputs(subnet.name, item)
  return newJob({ subnet, model, origin, inputs, items: 1 }, LEASED_MS)
}

function receiptOf(job: Uint8Array, index: number): { receipt: Uint8Array; outputSalt: Uint8Array } {
  const outputSalt = randomBytes(32)
  const receipt = encodeReceipt({
    v: 1,
    job,
    output: outputCommitment(outputSalt, OUTPUT),
    index,
    profile: { ...TINY_PROFILE, batch: 1 },
    started: LEASED_MS,
    finished: LEASED_MS,
    energy: { method: 'none', millijoules: null },
  })
  return { receipt, outputSalt }
}
