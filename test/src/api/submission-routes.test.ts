import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { receiptId } from '../../../compute/work/receipt.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { exportOts } from '../../../src/proof/ots.ts'
import { parseProof } from '../../../src/proof/proof.ts'
import { idOf, type LeasedJob, type Peer, type Submission, type Work } from '../coordinator/peer.ts'
import { openSite, type Site } from '../coordinator/site.ts'
import { TINY_PROFILE, tinyOutput } from '../coordinator/tiny-market.ts'
import { expectRefused } from './refused.ts'

let node: RegtestNode
let site: Site
let worker: Peer
let other: Peer
/** Answered and held, in none of the submissions that are refused. */
let works: Work[]
/** Leased and never answered. */
let unanswered: LeasedJob
beforeAll(async () => {
  node = await startBitcoind()
  site = await openSite(node)
  const [first] = await site.begin(1)
  if (first === undefined) throw new Error('no worker')
  worker = first
  other = await site.peer()
  works = await worker.hold(await worker.lease(2))
  const [job] = await worker.lease(1)
  if (job === undefined || works.length !== 2) throw new Error('too few items')
  unanswered = job
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await node.stop()
})

const receiptsOf = (list: readonly Work[] = works) => list.map(({ receipt }) => receipt)

interface Case {
  what: string
  submission: () => Submission | Promise<Submission>
  status: number
  code: string
  extensions?: () => Record<string, unknown>
}

/** Held by the coordinator, so that its outputs are not what is missing. */
async function heldWith(changes: Parameters<Peer['answerWith']>[1]): Promise<Submission> {
  const work = worker.answerWith(unanswered.job, changes, tinyOutput(unanswered.inputs))
  await worker.call('/v1/results', { results: [work] })
  return worker.draft([work.receipt])
}

describe('a submission', () => {
  const cases: Case[] = [
    {
      what: 'whose header is cut short',
      submission: () => {
        const draft = worker.draft(receiptsOf())
        return { ...draft, header: draft.header.slice(0, -1) }
      },
      status: 400,
      code: 'submission_malformed',
    },
    {
      what: "of another worker's key",
      submission: () => worker.draft(receiptsOf(), { worker: other.key }),
      status: 403,
      code: 'worker_mismatch',
    },
    {
      what: 'with one bit of its signature turned',
      submission: () => {
        const draft = worker.draft(receiptsOf())
        return { ...draft, signature: draft.signature.map((byte, i) => (i === 63 ? byte ^ 1 : byte)) }
      },
      status: 400,
      code: 'signature_invalid',
    },
    {
      what: "signed for another log's origin",
      submission: () => worker.draft(receiptsOf(), {}, 'other.example/log'),
      status: 400,
      code: 'signature_invalid',
    },
    {
      what: 'that skips a sequence',
      submission: () => worker.draft(receiptsOf(), { sequence: 1 }),
      status: 409,
      code: 'sequence_mismatch',
      extensions: () => ({ nextSequence: 0, previous: '00'.repeat(32) }),
    },
    {
      what: 'after another than the last one',
      submission: () => worker.draft(receiptsOf(), { previous: randomBytes(32) }),
      status: 409,
      code: 'sequence_mismatch',
      extensions: () => ({ nextSequence: 0, previous: '00'.repeat(32) }),
    },
    {
      what: 'with another root',
      submission: () => worker.draft(receiptsOf(), { root: randomBytes(32) }),
      status: 400,
      code: 'root_mismatch',
    },
    {
      what: 'whose header counts one more',
      submission: () => worker.draft(receiptsOf(), { count: 3 }),
      status: 400,
      code: 'count_mismatch',
    },
    {
      what: 'without its last receipt',
      submission: () => ({ ...worker.draft(receiptsOf()), receipts: receiptsOf().slice(0, 1) }),
      status: 400,
      code: 'count_mismatch',
    },
    {
      what: 'whose receipts are in another order than they say',
      submission: () => worker.draft(receiptsOf().reverse()),
      status: 400,
      code: 'index_mismatch',
    },
    {
      what: 'with something else than a receipt',
      submission: () => worker.draft([Uint8Array.of(0x80)]),
      status: 400,
      code: 'receipt_malformed',
    },
    {
      what: 'over a job that nobody leased',
      submission: () =>
        worker.draft([worker.answerWith(unanswered.job, { job: randomBytes(32) }, new Uint8Array()).receipt]),
      status: 404,
      code: 'job_unknown',
    },
    {
      what: 'with two receipts for one job',
      submission: async () => {
        const first = worker.answerWith(unanswered.job, {}, tinyOutput(unanswered.inputs))
        const second = worker.answerWith(unanswered.job, { index: 1 }, tinyOutput(unanswered.inputs))
        await worker.call('/v1/results', { results: [first] })
        return worker.draft(receiptsOf([first, second]))
      },
      status: 409,
      code: 'job_already_submitted',
    },
    {
      what: 'on another device than the subnet asks for',
      submission: () => heldWith({ profile: { ...TINY_PROFILE, batch: 1, device: 'x86-64-v4' } }),
      status: 400,
      code: 'profile_mismatch',
    },
    {
      what: 'with more threads than the subnet asks for',
      submission: () => heldWith({ profile: { ...TINY_PROFILE, batch: 1, threads: 2 } }),
      status: 400,
      code: 'profile_mismatch',
    },
    {
      what: 'with another batch than the job has rows',
      submission: () => heldWith({ profile: { ...TINY_PROFILE, batch: 2 } }),
      status: 400,
      code: 'profile_mismatch',
    },
  ]
  test.each(cases)('$what: $code', async ({ submission, status, code, extensions = () => ({}) }) => {
    const body = encodeCbor(await submission())
    await expectRefused(site, () => worker.post('/v1/submissions', body), { status, code, ...extensions() })
  })

  test("of another's receipts is of unknown jobs", async () => {
    const body = encodeCbor(other.draft(receiptsOf()))
    await expectRefused(site, () => other.post('/v1/submissions', body), { status: 404, code: 'job_unknown' })
  })

  test('whose outputs are not held is told which results to send again', async () => {
    const [kept] = works
    if (kept === undefined) throw new Error('nothing held')
    const lost = worker.answerWith(unanswered.job, { index: 1 }, tinyOutput(unanswered.inputs))
    const body = encodeCbor(worker.draft([kept.receipt, lost.receipt]))
    await expectRefused(site, () => worker.post('/v1/submissions', body), {
      status: 409,
      code: 'outputs_missing',
      receipts: [idOf(lost)],
    })
  })

  test('that is sent twice is acknowledged again, word for word; its jobs are in no other', async () => {
    const submission = worker.draft(receiptsOf())
    const acknowledgement = await worker.submit(submission)
    await expectRefused(site, () => worker.post('/v1/submissions', encodeCbor(submission)), {
      status: 409,
      code: 'submission_duplicate',
      acknowledgement: Buffer.from(encodeCbor(acknowledgement)).toString('base64'),
    })
    const again = worker.draft(receiptsOf().slice(0, 1))
    await expectRefused(site, () => worker.post('/v1/submissions', encodeCbor(again)), {
      status: 409,
      code: 'job_already_submitted',
    })
    const { nextSequence } = Object(
      await (await fetch(new URL(`/v1/workers/${worker.hex}`, site.url))).json(),
    )
    expect(nextSequence).toBe(1)
  })
})

describe('the proof of a receipt', () => {
  const proof = (id: string) => fetch(new URL(`/v1/receipts/${id}/proof`, site.url))

  test.each(['', 'abc', 'AB'.repeat(32), '..%2f', '0'.repeat(65)])('%j is no receipt id', async (id) => {
    const expected =
      id === '' ? { status: 404, code: 'not_found' } : { status: 400, code: 'receipt_id_malformed' }
    await expectRefused(site, () => proof(id), expected)
  })

  test('is refused while the receipt is unknown, or not anchored yet', async () => {
    await expectRefused(site, () => proof('00'.repeat(32)), { status: 404, code: 'receipt_unknown' })
    const [first] = works
    const id = Buffer.from(receiptId(first?.receipt ?? new Uint8Array())).toString('hex')
    await expectRefused(site, () => proof(id), { status: 409, code: 'receipt_not_anchored' })
    await site.anchorAll()
    const bytes = await (await proof(id)).bytes()
    const ots = await fetch(new URL(`/v1/receipts/${id}/ots`, site.url))
    expect(ots.headers.get('content-disposition')).toBe(`attachment; filename="${id}.ots"`)
    expect(await ots.bytes()).toEqual(exportOts(parseProof(bytes)))
  })
})
