import { describe, expect, test } from 'vitest'
import { parseReceipt } from '../../../compute/work/receipt.ts'
import { parseTensorBundle } from '../../../compute/work/tensor-bundle.ts'
import { newWorkerKey } from '../../../compute/work/worker-key.ts'
import { toHex } from '../work/read-vector.ts'
import { Problem } from './peer-body.ts'
import type { PeerCoordinator } from './peer-coordinator.ts'
import { PEER_LOG_KEY, PEER_ORIGIN } from './peer-log.ts'
import { bundle, doubler, openWorkerTrial, profile, squarer } from './worker-trial.ts'

const states = (peer: PeerCoordinator) => [...peer.jobs.values()].map(({ state }) => state)

describe('runWorker', () => {
  test('runs what it leased, delivers it, and ends once it is told to stop and has run what it holds', async () => {
    const { peer, stop, events, start, seen } = await openWorkerTrial()
    const digest = peer.addModel(doubler, profile)
    const jobs = Array.from({ length: 100 }, (_, i) => peer.addJob(bundle('x', i, 0.5), digest))
    const worker = start()
    await seen('ran', 1, worker)
    stop.abort()
    await worker
    const leased = events.reduce((sum, event) => sum + (event.type === 'leased' ? event.jobs : 0), 0)
    expect(leased).toBeGreaterThanOrEqual(64)
    expect(states(peer).filter((state) => state === 'submitted')).toHaveLength(leased)
    expect(states(peer).filter((state) => state === 'open')).toHaveLength(100 - leased)
    const ran = events.flatMap((event) => (event.type === 'ran' ? [event] : []))
    expect(ran).toHaveLength(events.filter(({ type }) => type === 'leased').length)
    expect(ran.reduce((sum, { jobs }) => sum + jobs, 0)).toBe(leased)
    const [y] = parseTensorBundle(jobs[7]?.outputs ?? new Uint8Array())
    expect(y).toMatchObject({ name: 'y', datatype: 'FP32', shape: [2] })
    expect([...new Float32Array(Uint8Array.from(y?.data ?? []).buffer)]).toEqual([14, 1])
    const receipt = parseReceipt(peer.submissions[0]?.receipts[0] ?? new Uint8Array())
    expect(receipt.profile).toEqual({ ...profile, batch: 2 })
    expect(events.slice(0, 3)).toMatchObject([
      { type: 'registered', index: 3 },
      { type: 'started', provider: 'cpu', device: profile.device },
      { type: 'leased' },
    ])
  })

  test('says once why it gets no work, not at every poll', async () => {
    const { peer, stop, events, start, seen } = await openWorkerTrial()
    const digest = peer.addModel(doubler, profile)
    peer.addJob(bundle('x', 1), digest)
    peer.state.idleReasons.push('audit_capacity_full', 'audit_capacity_full', 'audit_capacity_full')
    const worker = start()
    await seen('ran', 1, worker)
    stop.abort()
    await worker
    expect(events.filter(({ type }) => type === 'idle')).toEqual([
      { type: 'idle', reason: 'audit_capacity_full' },
    ])
  })

  test('gives back what it can not run, with the reason, and goes on', async () => {
    const { peer, stop, start, seen } = await openWorkerTrial()
    const digest = peer.addModel(doubler, profile)
    const junk = peer.addModel(doubler.subarray(0, 5), profile)
    const lost = peer.addModel(new Uint8Array([1]), profile)
    peer.blobs.delete(toHex(lost))
    peer.addJob(bundle('wrong', 1), digest)
    peer.addJob(new Uint8Array([0xff]), digest)
    peer.addJob(bundle('x', 1), new Uint8Array(32).fill(9))
    peer.addJob(bundle('x', 1), lost)
    peer.addJob(bundle('x', 1), junk)
    Object.assign(peer.addJob(bundle('x', 1), digest), { inputs: bundle('x', 2) })
    Object.assign(peer.addJob(bundle('x', 1), digest), { bytes: new Uint8Array([0xa0]) })
    peer.state.lateMs = -1
    peer.addJob(bundle('x', 1), digest)
    peer.state.lateMs = 60_000
    peer.addJob(bundle('x', 1), digest)
    const worker = start()
    await seen('submitted', 1, worker)
    stop.abort()
    await worker
    expect(peer.failed.map(({ reason }) => reason.replace(/:.*/s, '')).sort()).toEqual([
      'deadline_exceeded',
      'inputs_invalid',
      'inputs_invalid',
      'inputs_mismatch',
      'job_malformed',
      'model_refused',
      'model_unavailable',
      'model_unknown',
    ])
    expect(states(peer).at(-1)).toBe('submitted')
  })

  test('pauses after jobs that failed together as after one, not for a minute', async () => {
    const { peer, stop, start, seen } = await openWorkerTrial()
    const lost = peer.addModel(squarer, profile)
    peer.blobs.delete(toHex(lost))
    for (let i = 0; i < 40; i++) peer.addJob(bundle('x', i), lost)
    const worker = start()
    await seen('failed', 40, worker)
    const digest = peer.addModel(doubler, profile)
    // The first may be on a lease that was asked for before any job had failed; before the second there was a pause.
    for (const ran of [1, 2]) {
      peer.addJob(bundle('x', 1), digest)
      await seen('ran', ran, worker)
    }
    stop.abort()
    await worker
  }, 30_000)

  test('runs a model that any machine may run as it likes best, in the precision that is asked for', async () => {
    const { peer, stop, start, seen } = await openWorkerTrial()
    const digest = peer.addModel(doubler, {
      bounds: [],
      comparison: 'tolerant',
      detections: [],
      precision: 'fp32',
    })
    peer.addJob(bundle('x', 1), digest)
    const worker = start()
    await seen('ran', 1, worker)
    stop.abort()
    await worker
    const receipt = parseReceipt(peer.submissions[0]?.receipts[0] ?? new Uint8Array())
    expect(receipt.profile).toEqual({ ...profile, batch: 1, optimization: 'all' })
  })

  test('gives back work of a profile that this machine does not have', async () => {
    const { peer, stop, start, seen } = await openWorkerTrial()
    const digest = peer.addModel(doubler, { ...profile, device: 'abacus' })
    peer.addJob(bundle('x', 1), digest)
    const worker = start()
    await seen('failed', 1, worker)
    stop.abort()
    await worker
    expect(peer.failed[0]?.reason).toBe(
      `profile_mismatch: device: the model needs abacus, here it is ${profile.device}`,
    )
    expect(peer.submissions).toEqual([])
  })

  test('learns of a model that came after its start', async () => {
    const { peer, stop, start, seen } = await openWorkerTrial()
    peer.addModel(doubler, profile)
    const worker = start()
    await seen('started', 1, worker)
    peer.addJob(bundle('x', 3), peer.addModel(squarer, profile))
    await seen('submitted', 1, worker)
    stop.abort()
    await worker
    expect(states(peer)).toEqual(['submitted'])
  })

  test('outlives a coordinator that is away for a while', async () => {
    const { peer, stop, events, start, seen } = await openWorkerTrial()
    let failures = 3
    peer.state.intercept = () => {
      if (failures-- > 0) throw new Error('cut the line')
    }
    peer.addJob(bundle('x', 1), peer.addModel(doubler, profile))
    const worker = start()
    await seen('submitted', 1, worker)
    stop.abort()
    await worker
    expect(events.filter(({ type }) => type === 'warning')).toContainEqual(
      expect.objectContaining({ code: 'unreachable' }),
    )
  })

  test('works and audits side by side', async () => {
    const { peer, stop, start, seen } = await openWorkerTrial()
    const digest = peer.addModel(doubler, profile)
    const claimed = { state: 'submitted' as const, receipt: '01'.repeat(32), outputs: bundle('y', 4) }
    peer.drawAudit(Object.assign(peer.addJob(bundle('x', 2), digest), claimed))
    peer.addJob(bundle('x', 1), digest)
    const worker = start({ audit: 'also' })
    await Promise.all([seen('audited', 1, worker), seen('submitted', 1, worker)])
    stop.abort()
    await worker
    expect(states(peer)).toEqual(['submitted', 'submitted'])
  })

  test('ends in peace when it is stopped before it has begun', async () => {
    const { peer, stop, events, start } = await openWorkerTrial()
    peer.state.intercept = () => {
      stop.abort()
      throw new Error('cut the line')
    }
    await start()
    expect(events).toEqual([])
  })

  test('signs nothing for a log that it does not trust', async () => {
    const { peer, start } = await openWorkerTrial()
    const seenLogs: unknown[] = []
    const trustLog = ({ origin, logKey }: { origin: string; logKey: string }) => {
      seenLogs.push({ origin, logKey })
      throw new Error('another log')
    }
    await expect(start({ trustLog })).rejects.toThrow('another log')
    expect(seenLogs).toEqual([{ origin: PEER_ORIGIN, logKey: PEER_LOG_KEY }])
    expect(peer.requests.map(({ path }) => path)).toEqual(['/v1/info'])
  })

  test('ends with the refusal of its registration, or of its leases', async () => {
    const { peer, start } = await openWorkerTrial()
    peer.state.intercept = (path) => {
      if (path === '/v1/workers') throw new Problem(409, 'address_differs')
    }
    await expect(start()).rejects.toMatchObject({ code: 'address_differs' })
    peer.state.intercept = (path) => {
      if (path === '/v1/leases') throw new Problem(403, 'worker_suspended')
    }
    await expect(start()).rejects.toMatchObject({ code: 'worker_suspended' })
  })

  test('refuses a data folder that another worker of the same key is using', async () => {
    const { stop, start, seen } = await openWorkerTrial()
    const secretKey = newWorkerKey()
    const worker = start({ secretKey })
    await seen('started', 1, worker)
    await expect(start({ secretKey })).rejects.toMatchObject({ code: 'spool_in_use' })
    stop.abort()
    await worker
  })
})
