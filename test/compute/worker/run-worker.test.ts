import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { graph, model, node, valueInfo } from '../../../compute/onnx/graph-builder.ts'
import { encodeModel } from '../../../compute/onnx/model.ts'
import { deviceName } from '../../../compute/runtime/device-name.ts'
import { parseReceipt } from '../../../compute/work/receipt.ts'
import { encodeTensorBundle, parseTensorBundle } from '../../../compute/work/tensor-bundle.ts'
import { newWorkerKey } from '../../../compute/work/worker-key.ts'
import { runWorker, type WorkerOptions } from '../../../compute/worker/run-worker.ts'
import type { WorkerEvent } from '../../../compute/worker/worker-event.ts'
import { toHex } from '../work/read-vector.ts'
import {
  CPU_PROFILE,
  PEER_LOG_KEY,
  PEER_ORIGIN,
  type PeerCoordinator,
  Problem,
  startPeerCoordinator,
} from './peer-coordinator.ts'

const { version: ort } = createRequire(import.meta.url)('onnxruntime-node/package.json') as {
  version: string
}
const profile = { ...CPU_PROFILE, device: deviceName('cpu'), ort }
/** y = x + x */
const doubler = encodeModel(
  model(
    graph('doubler', {
      input: [valueInfo('x', 'FP32', ['N'])],
      output: [valueInfo('y', 'FP32', ['N'])],
      node: [node('Add', ['x', 'x'], ['y'])],
    }),
  ),
)
const bundle = (name: string, ...values: number[]) =>
  encodeTensorBundle([
    {
      name,
      datatype: 'FP32',
      shape: [values.length],
      data: new Uint8Array(Float32Array.from(values).buffer),
    },
  ])

let peer: PeerCoordinator
let dataDir: string
let stop: AbortController
let events: WorkerEvent[]
const waiting: (() => void)[] = []

beforeEach(async () => {
  peer = await startPeerCoordinator()
  dataDir = mkdtempSync(join(tmpdir(), 'assay-worker-'))
  stop = new AbortController()
  events = []
})

afterEach(async () => {
  await peer.close()
  rmSync(dataDir, { recursive: true })
})

function start(options: Partial<WorkerOptions> = {}): Promise<void> {
  return runWorker({
    despiteFaults: false,
    coordinatorUrl: peer.url,
    dataDir,
    secretKey: newWorkerKey(),
    address: 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080',
    thresholdSats: 0n,
    provider: 'cpu',
    devices: null,
    concurrency: 1,
    maxModelBytes: 2 ** 30,
    audit: 'never',
    trustLog: () => () => {},
    signal: stop.signal,
    onEvent(event) {
      events.push(event)
      for (const wake of waiting.splice(0)) wake()
    },
    ...options,
  })
}

/** Until `count` events of that type have come; the worker's end, if that comes first, is the test's. */
async function seen(type: WorkerEvent['type'], count: number, worker: Promise<void>): Promise<void> {
  const ended = worker.then(() => {
    throw new Error('the worker has ended')
  })
  while (events.filter((event) => event.type === type).length < count) {
    await Promise.race([ended, new Promise<void>((resolve) => waiting.push(resolve))])
  }
}

const states = () => [...peer.jobs.values()].map(({ state }) => state)

describe('runWorker', () => {
  test('runs what it leased, delivers it, and ends once it is told to stop and has run what it holds', async () => {
    const digest = peer.addModel(doubler, profile)
    const jobs = Array.from({ length: 100 }, (_, i) => peer.addJob(bundle('x', i, 0.5), digest))
    const worker = start()
    await seen('ran', 1, worker)
    stop.abort()
    await worker
    const leased = events.reduce((sum, event) => sum + (event.type === 'leased' ? event.jobs : 0), 0)
    expect(leased).toBeGreaterThanOrEqual(64)
    expect(states().filter((state) => state === 'submitted')).toHaveLength(leased)
    expect(states().filter((state) => state === 'open')).toHaveLength(100 - leased)
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
    expect(states().at(-1)).toBe('submitted')
  })

  test('runs a model that any machine may run as it likes best, in the precision that is asked for', async () => {
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
    peer.addModel(doubler, profile)
    const worker = start()
    await seen('started', 1, worker)
    const other = encodeModel(
      model(
        graph('other', {
          input: [valueInfo('x', 'FP32', ['N'])],
          output: [valueInfo('y', 'FP32', ['N'])],
          node: [node('Mul', ['x', 'x'], ['y'])],
        }),
      ),
    )
    peer.addJob(bundle('x', 3), peer.addModel(other, profile))
    await seen('submitted', 1, worker)
    stop.abort()
    await worker
    expect(states()).toEqual(['submitted'])
  })

  test('outlives a coordinator that is away for a while', async () => {
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

  test('re-executes drawn receipts and reveals what it had committed to', async () => {
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

  test('passes over an audit that was closed before its commitment or its reveal', async () => {
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
  function drawThree(digests: readonly Uint8Array[]) {
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
  const calls = (wanted: string) => peer.requests.filter(({ path }) => path === wanted).length

  test('commits to the other audits of a list when one of them is closed', async () => {
    const digest = peer.addModel(doubler, profile)
    const audits = drawThree([digest, digest, digest])
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
    expect(calls('/v1/audits/commitments')).toBe(1 + 3)
  })

  test('reveals what it committed to when the answer to the commitment was lost', async () => {
    const digest = peer.addModel(doubler, profile)
    const audits = drawThree([digest, digest, digest])
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
    const digest = peer.addModel(doubler, profile)
    const [first] = drawThree([digest, digest])
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
    const digest = peer.addModel(doubler, profile)
    const slow = peer.addModel(
      encodeModel(
        model(
          graph('slow to come', {
            input: [valueInfo('x', 'FP32', ['N'])],
            output: [valueInfo('y', 'FP32', ['N'])],
            node: [node('Mul', ['x', 'x'], ['y'])],
          }),
        ),
      ),
      profile,
    )
    const [first] = drawThree([digest, slow])
    peer.state.intercept = (path, when) => {
      if (path !== `/blobs/${toHex(slow)}` || when !== 'before') return
      return peer.until(() => first?.state === 'revealed')
    }
    const worker = start({ audit: 'only' })
    await seen('audited', 2, worker)
    stop.abort()
    await worker
    expect(calls('/v1/audits/commitments')).toBe(2)
  })

  test('works and audits side by side', async () => {
    const digest = peer.addModel(doubler, profile)
    const claimed = { state: 'submitted' as const, receipt: '01'.repeat(32), outputs: bundle('y', 4) }
    peer.drawAudit(Object.assign(peer.addJob(bundle('x', 2), digest), claimed))
    peer.addJob(bundle('x', 1), digest)
    const worker = start({ audit: 'also' })
    await Promise.all([seen('audited', 1, worker), seen('submitted', 1, worker)])
    stop.abort()
    await worker
    expect(states()).toEqual(['submitted', 'submitted'])
  })

  test('ends in peace when it is stopped before it has begun', async () => {
    peer.state.intercept = () => {
      stop.abort()
      throw new Error('cut the line')
    }
    await start()
    expect(events).toEqual([])
  })

  test('signs nothing for a log that it does not trust', async () => {
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
    const secretKey = newWorkerKey()
    const worker = start({ secretKey })
    await seen('started', 1, worker)
    await expect(start({ secretKey })).rejects.toMatchObject({ code: 'spool_in_use' })
    stop.abort()
    await worker
  })
})
