import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseReceipt } from '../../../compute/work/receipt.ts'
import { encodeHeader, parseHeader, signSubmission, submissionId } from '../../../compute/work/submission.ts'
import { newWorkerKey, publicKeyOf } from '../../../compute/work/worker-key.ts'
import { openSpool } from '../../../compute/worker/spool.ts'
import type { WorkerEvent } from '../../../compute/worker/worker-event.ts'
import { toHex } from '../work/read-vector.ts'
import { type DeliveryPeer, openDeliveryPeer } from './delivery-peer.ts'
import { finishedRun } from './finished-run.ts'
import { openDelivery } from './open-delivery.ts'
import { Problem } from './peer-body.ts'
import type { PeerCoordinator } from './peer-coordinator.ts'
import { PEER_ORIGIN } from './peer-log.ts'

let peer: PeerCoordinator
let site: DeliveryPeer
let path: string
let events: WorkerEvent[]
const secretKey = newWorkerKey()

beforeEach(async () => {
  site = await openDeliveryPeer()
  ;({ peer, path } = site)
  events = []
})

afterEach(() => site[Symbol.asyncDispose]())

function open() {
  return openDelivery({ url: peer.url, path, secretKey, onEvent: (event) => events.push(event) })
}

/** Delivers runs of these jobs, until nothing is left. */
async function deliver(jobs: readonly { id: string }[]): Promise<void> {
  const delivery = open()
  for (const { id } of jobs) delivery.add(finishedRun(id))
  delivery.close()
  await delivery.run()
}

const submittedJobs = () =>
  peer.submissions.flatMap(({ receipts }) => receipts.map((receipt) => toHex(parseReceipt(receipt).job)))
const refusals = () => events.filter(({ type }) => type === 'refused')
const bodiesOf = (wanted: string) =>
  peer.requests.filter((one) => one.path === wanted).map(({ body }) => toHex(body))

/** The n-th request to `wanted` (from 0) meets `fault`. */
function faultAt(wanted: string, n: number, when: 'before' | 'after', fault: () => void): void {
  let seen = 0
  peer.state.intercept = (path, at) => {
    if (path === wanted && at === when && seen++ === n) fault()
  }
}

function cutLine(): void {
  throw new Error('cut the line')
}

describe('delivery', () => {
  test('submits every run once, in a chain of submissions, and tells the log index of each', async () => {
    const jobs = peer.grant(600)
    await deliver(jobs)
    expect(submittedJobs().sort()).toEqual(jobs.map(({ id }) => id).sort())
    const headers = peer.submissions.map(({ header }) => parseHeader(header))
    expect(headers.map(({ sequence }) => sequence)).toEqual([...headers.keys()])
    const told = events.filter((event) => event.type === 'submitted')
    expect(told.map(({ index }) => index)).toEqual(headers.map((_, i) => 100 + i))
    expect(told.reduce((sum, { receipts }) => sum + receipts, 0)).toBe(600)
  })

  test('hands over a result before it submits its receipt, and submits it without being told to close', async () => {
    const [job] = peer.grant(1)
    const delivery = open()
    const running = delivery.run()
    delivery.add(finishedRun(job?.id ?? ''))
    await peer.until(() => peer.submissions.length === 1)
    expect(peer.requests.map(({ path }) => path)).toEqual([
      expect.stringMatching('^/v1/workers/'),
      '/v1/results',
      '/v1/submissions',
    ])
    delivery.close()
    await running
  })

  test('goes on behind its last submission after a restart', async () => {
    await deliver(peer.grant(2))
    await deliver(peer.grant(3))
    expect(peer.chain.nextSequence).toBe(2)
    expect(parseHeader(peer.submissions[1]?.header ?? new Uint8Array()).previous).toEqual(
      Uint8Array.from(submissionId(peer.submissions[0]?.header ?? new Uint8Array())),
    )
  })

  test('drops a refused result, says why, and submits the others', async () => {
    const jobs = peer.grant(5)
    peer.state.refusedJobs.add(jobs[1]?.id ?? '')
    peer.state.refusedJobs.add(jobs[3]?.id ?? '')
    await deliver(jobs)
    expect(submittedJobs()).toEqual([jobs[0]?.id, jobs[2]?.id, jobs[4]?.id])
    expect(refusals()).toHaveLength(2)
    expect(refusals()[0]).toMatchObject({ code: 'job_unknown', detail: 'no such job' })
  })

  test('submits nothing when every result is refused', async () => {
    const jobs = peer.grant(2)
    for (const { id } of jobs) peer.state.refusedJobs.add(id)
    await deliver(jobs)
    expect(peer.submissions).toEqual([])
    expect(refusals()).toHaveLength(2)
  })

  test('sends the same signed bytes again when the answer was lost, and takes "duplicate" for success', async () => {
    faultAt('/v1/submissions', 0, 'after', cutLine)
    await deliver(peer.grant(3))
    const [first, second] = bodiesOf('/v1/submissions')
    expect(second).toBe(first)
    expect(peer.submissions).toHaveLength(1)
    expect(events).toContainEqual({ type: 'submitted', sequence: 0, receipts: 3, index: 100 })
  })

  test('sends the outputs again that the coordinator misses', async () => {
    const jobs = peer.grant(3)
    faultAt('/v1/submissions', 0, 'before', () => {
      for (const job of jobs.slice(1)) Object.assign(job, { receipt: '', state: 'leased' })
    })
    await deliver(jobs)
    expect(bodiesOf('/v1/results')).toHaveLength(2)
    const [first, second] = bodiesOf('/v1/submissions')
    expect(second).toBe(first)
    expect(submittedJobs()).toHaveLength(3)
  })

  test.each([
    [0, 'job_unknown', 404],
    [6, 'profile_mismatch', 400],
    [9, 'job_already_submitted', 409],
  ])('finds the one receipt (%i) that spoils a submission: %s', async (at, code, status) => {
    const jobs = peer.grant(10)
    const bad = jobs[at]?.id ?? ''
    peer.state.intercept = (path, when, body) => {
      const spoils = path === '/v1/submissions' && when === 'before' && toHex(body).includes(bad)
      if (spoils) throw new Problem(status, code)
    }
    await deliver(jobs)
    expect(submittedJobs().sort()).toEqual(
      jobs
        .map(({ id }) => id)
        .filter((id) => id !== bad)
        .sort(),
    )
    expect(refusals()).toEqual([expect.objectContaining({ code })])
  })

  test('takes over the head of the log when another copy of the worker has been there', async () => {
    Object.assign(peer.chain, { nextSequence: 4, previous: new Uint8Array(32).fill(4) })
    await deliver(peer.grant(1))
    expect(parseHeader(peer.submissions[0]?.header ?? new Uint8Array())).toMatchObject({ sequence: 4 })
    expect(events).toContainEqual(expect.objectContaining({ type: 'warning', code: 'chain_resynced' }))
  })

  test('signs its receipts again behind a submission that took their place', async () => {
    const [job] = peer.grant(1)
    const spool = openSpool(path)
    spool.append([finishedRun(job?.id ?? '')])
    const header = encodeHeader({
      v: 1,
      worker: publicKeyOf(secretKey),
      sequence: 0,
      previous: new Uint8Array(32),
      count: 1,
      root: new Uint8Array(32),
      time: 1,
    })
    spool.seal(0, { header, signature: signSubmission(header, PEER_ORIGIN, secretKey) })
    spool.closeFile()
    Object.assign(peer.chain, { nextSequence: 2, previous: new Uint8Array(32).fill(2) })
    await deliver([])
    expect(submittedJobs()).toEqual([job?.id])
    expect(peer.chain.nextSequence).toBe(3)
  })

  test.each([
    ['has lost acknowledged submissions', 'chain_behind', 0, 0],
    ['has another submission in their place', 'chain_forked', 1, 9],
  ])('signs nothing on a log that %s', async (_what, code, nextSequence, fill) => {
    await deliver(peer.grant(1))
    Object.assign(peer.chain, { nextSequence, previous: new Uint8Array(32).fill(fill) })
    const jobs = peer.grant(1)
    await expect(deliver(jobs)).rejects.toMatchObject({ name: 'ChainError', code })
    expect(bodiesOf('/v1/submissions')).toHaveLength(1)
  })

  test('does not sign another header when the log refuses the right sequence', async () => {
    faultAt('/v1/submissions', 0, 'before', () => {
      throw new Problem(409, 'sequence_mismatch', { nextSequence: 0, previous: '00'.repeat(32) })
    })
    await expect(deliver(peer.grant(1))).rejects.toMatchObject({ code: 'sequence_mismatch' })
    await deliver([])
    const [first, second] = bodiesOf('/v1/submissions')
    expect(second).toBe(first)
  })

  test.each([
    ['signature_invalid', 400, {}],
    ['root_mismatch', 400, {}],
    ['worker_suspended', 403, {}],
    ['outputs_missing', 409, { receipts: [] }],
    ['submission_duplicate', 409, {}],
    ['submission_duplicate', 409, { acknowledgement: Buffer.from([0xa0]).toString('base64') }],
  ])('ends on %s, keeping what is not acknowledged', async (code, status, extensions) => {
    const jobs = peer.grant(2)
    faultAt('/v1/submissions', 0, 'before', () => {
      throw new Problem(status, code, extensions)
    })
    await expect(deliver(jobs)).rejects.toMatchObject({ name: 'CoordinatorError' })
    expect(peer.submissions).toEqual([])
    await deliver([])
    expect(submittedJobs()).toEqual(jobs.map(({ id }) => id))
  })

  test('keeps its work when the acknowledgement does not hold', async () => {
    const jobs = peer.grant(2)
    const checked: unknown[] = []
    const delivery = openDelivery({
      ...{ url: peer.url, path, secretKey, onEvent: (event) => events.push(event) },
      checkAcknowledgement(acknowledgement) {
        checked.push(acknowledgement)
        throw new Error('not the log')
      },
    })
    for (const { id } of jobs) delivery.add(finishedRun(id))
    delivery.close()
    await expect(delivery.run()).rejects.toThrow('not the log')
    expect(checked).toEqual([expect.objectContaining({ index: 100, checkpoint: 'note' })])
    const spool = openSpool(path)
    expect(spool.backlog().receipts).toBe(2)
    spool.closeFile()
    expect(events).toEqual([])
  })

  test('gives up on a coordinator that misses the same outputs for ever', async () => {
    peer.state.intercept = (path, when, body) => {
      if (path !== '/v1/submissions' || when !== 'before' || body.length === 0) return
      for (const job of peer.jobs.values()) job.receipt = ''
    }
    await expect(deliver(peer.grant(1))).rejects.toMatchObject({ code: 'submission_stuck' })
  })
})
