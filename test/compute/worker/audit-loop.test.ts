import { describe, expect, test } from 'vitest'
import { toHex } from '../work/read-vector.ts'
import type { PeerCoordinator } from './peer-coordinator.ts'
import { bundle, doubler, openWorkerTrial, profile, squarer } from './worker-trial.ts'

describe('a worker that audits', () => {
  test('re-executes drawn receipts and reveals what it had committed to', async () => {
    const { peer, stop, events, start, seen } = await openWorkerTrial()
    const digest = peer.addModel(doubler, profile)
    const claims = [bundle('y', 4), bundle('y', 5), bundle('y', 4)]
    const audited = claims.map((outputs, i) =>
      Object.assign(peer.addJob(bundle('x', 2), i === 2 ? new Uint8Array(32).fill(9) : digest), {
        state: 'submitted' as const,
        receipt: `0${i}`.repeat(32),
        outputs,
      }),
    )
    for (const job of audited) peer.drawAudit(job)
    const worker = start({ audit: 'only' })
    await seen('audited', 3, worker)
    stop.abort()
    await worker
    expect(events.filter(({ type }) => type === 'audited')).toEqual([
      { type: 'audited', receipt: '00'.repeat(32), verdict: 'pass' },
      { type: 'audited', receipt: '01'.repeat(32), verdict: 'fail' },
      { type: 'audited', receipt: '02'.repeat(32), verdict: 'inconclusive' },
    ])
    expect(peer.requests.map(({ path }) => path)).not.toContain('/v1/leases')
  })

  test('says once that nobody has admitted it, and who can, where it takes nothing else', async () => {
    const { peer, stop, events, start, seen } = await openWorkerTrial()
    peer.state.isAuditor = false
    const worker = start({ audit: 'only' })
    await seen('started', 1, worker)
    stop.abort()
    await worker
    const key = events.find(({ type }) => type === 'registered')
    expect(events.filter(({ type }) => type === 'warning')).toEqual([
      {
        type: 'warning',
        code: 'auditor_not_admitted',
        detail: expect.stringContaining(`assay auditor admit ${key?.type === 'registered' && key.worker}`),
      },
    ])
  })

  test('says nothing of that where it works as well', async () => {
    const { peer, stop, events, start, seen } = await openWorkerTrial()
    peer.state.isAuditor = false
    const worker = start({ audit: 'also' })
    await seen('started', 1, worker)
    stop.abort()
    await worker
    expect(events.filter(({ type }) => type === 'warning')).toEqual([])
  })

  test('passes over an audit that was closed before its commitment or its reveal', async () => {
    const { peer, stop, events, start, seen } = await openWorkerTrial()
    const digest = peer.addModel(doubler, profile)
    const draw = (i: number) =>
      peer.drawAudit(
        Object.assign(peer.addJob(bundle('x', 2), digest), {
          state: 'submitted' as const,
          receipt: `0${i}`.repeat(32),
          outputs: bundle('y', 4),
        }),
      )
    const early = draw(0)
    peer.state.intercept = (path, when) => {
      if (when === 'before' && path === '/v1/audits/commitments') early.state = 'closed'
      if (when === 'before' && path === '/v1/audits/reveals') {
        Object.assign(peer.audits[1] ?? {}, { state: 'closed' })
      }
    }
    const worker = start({ audit: 'only' })
    await seen('warning', 1, worker)
    draw(1)
    await seen('warning', 2, worker)
    peer.state.intercept = () => {}
    draw(2)
    await seen('audited', 1, worker)
    stop.abort()
    await worker
    expect(events.filter(({ type }) => type === 'warning')).toMatchObject([
      { code: 'audit_not_open' },
      { code: 'audit_not_open' },
    ])
  })

  /** Audits of receipts 00…, 01…, 02…, leased together. */
  function drawThree(peer: PeerCoordinator, digests: readonly Uint8Array[]) {
    return digests
      .map((digest, i) =>
        Object.assign(peer.addJob(bundle('x', 2), digest), {
          state: 'submitted' as const,
          receipt: `0${i}`.repeat(32),
          outputs: bundle('y', 4),
        }),
      )
      .map(peer.drawAudit)
  }
  const calls = (peer: PeerCoordinator, wanted: string) =>
    peer.requests.filter(({ path }) => path === wanted).length

  test('commits to the other audits of a list when one of them is closed', async () => {
    const { peer, stop, events, start, seen } = await openWorkerTrial()
    const digest = peer.addModel(doubler, profile)
    const audits = drawThree(peer, [digest, digest, digest])
    peer.state.intercept = (path, when) => {
      const closed = audits[1]
      if (path === '/v1/audits/commitments' && when === 'before' && closed) closed.state = 'closed'
    }
    const worker = start({ audit: 'only' })
    await seen('audited', 2, worker)
    stop.abort()
    await worker
    expect(audits.map(({ state }) => state)).toEqual(['revealed', 'closed', 'revealed'])
    expect(events.filter(({ type }) => type === 'warning')).toMatchObject([{ code: 'audit_not_open' }])
    expect(calls(peer, '/v1/audits/commitments')).toBe(1 + 3)
  })

  test('reveals what it committed to when the answer to the commitment was lost', async () => {
    const { peer, stop, start, seen } = await openWorkerTrial()
    const digest = peer.addModel(doubler, profile)
    const audits = drawThree(peer, [digest, digest, digest])
    let lost = 1
    peer.state.intercept = (path, when) => {
      if (path === '/v1/audits/commitments' && when === 'after' && lost-- > 0) throw new Error('cut the line')
    }
    const worker = start({ audit: 'only' })
    await seen('audited', 3, worker)
    stop.abort()
    await worker
    expect(audits.map(({ state }) => state)).toEqual(['revealed', 'revealed', 'revealed'])
  })

  test('passes over an audit that another process of the same key committed to', async () => {
    const { peer, stop, events, start, seen } = await openWorkerTrial()
    const digest = peer.addModel(doubler, profile)
    const [first] = drawThree(peer, [digest, digest])
    peer.state.intercept = (path, when) => {
      if (path !== '/v1/audits/commitments' || when !== 'before' || first?.state !== 'drawn') return
      Object.assign(first, { state: 'committed', commitment: new Uint8Array(32) })
    }
    const worker = start({ audit: 'only' })
    await seen('audited', 1, worker)
    stop.abort()
    await worker
    expect(events.filter(({ type }) => type === 'audited')).toMatchObject([{ receipt: '01'.repeat(32) }])
  })

  test('reveals a done audit while the next one takes its time', async () => {
    const { peer, stop, start, seen } = await openWorkerTrial()
    const digest = peer.addModel(doubler, profile)
    const slow = peer.addModel(squarer, profile)
    const [first] = drawThree(peer, [digest, slow])
    peer.state.intercept = (path, when) => {
      if (path !== `/blobs/${toHex(slow)}` || when !== 'before') return
      return peer.until(() => first?.state === 'revealed')
    }
    const worker = start({ audit: 'only' })
    await seen('audited', 2, worker)
    stop.abort()
    await worker
    expect(calls(peer, '/v1/audits/commitments')).toBe(2)
  })
})
