import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseReceipt } from '../../../compute/work/receipt.ts'
import { newWorkerKey } from '../../../compute/work/worker-key.ts'
import { openSpool } from '../../../compute/worker/spool.ts'
import { toHex } from '../work/read-vector.ts'
import { type PeerCoordinator, startPeerCoordinator } from './peer-coordinator.ts'

const script = fileURLToPath(new URL('./deliver-in-child.ts', import.meta.url))
const spoolScript = fileURLToPath(new URL('./spool-in-child.ts', import.meta.url))
const secretKey = toHex(newWorkerKey())
let peer: PeerCoordinator
let folder: string
let child: ChildProcess | null

beforeEach(async () => {
  peer = await startPeerCoordinator()
  folder = mkdtempSync(join(tmpdir(), 'assay-killed-'))
  child = null
})

afterEach(async () => {
  child?.kill('SIGKILL')
  await peer.close()
  rmSync(folder, { recursive: true })
})

function start(jobs: readonly { id: string }[]): { ended: Promise<unknown[]> } {
  const args = [script, peer.url, join(folder, 'spool.sqlite'), secretKey, ...jobs.map(({ id }) => id)]
  child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  return { ended: once(child, 'exit') }
}

describe('a delivery killed with SIGKILL', () => {
  test.each([
    ['while it sends results', '/v1/results', 'before'],
    ['when its results have arrived', '/v1/results', 'after'],
    ['while it submits', '/v1/submissions', 'before'],
    ['when its submission is logged', '/v1/submissions', 'after'],
  ] as const)('%s: the next process submits each receipt once', async (_what, path, when) => {
    const jobs = peer.grant(20)
    const reached = Promise.withResolvers<void>()
    peer.state.intercept = (at, time) => {
      if (at !== path || time !== when) return
      reached.resolve()
      // No answer ever: the process is killed while it waits.
      return new Promise(() => {})
    }
    const first = start(jobs)
    await reached.promise
    child?.kill('SIGKILL')
    expect(await first.ended).toEqual([null, 'SIGKILL'])

    peer.state.intercept = () => {}
    expect(await start([]).ended).toEqual([0, null])
    const submitted = peer.submissions.flatMap(({ receipts }) =>
      receipts.map((bytes) => toHex(parseReceipt(bytes).job)),
    )
    expect(submitted.sort()).toEqual(jobs.map(({ id }) => id).sort())
    const sent = peer.requests
      .filter((request) => request.path === '/v1/submissions')
      .map(({ body }) => toHex(body))
    // Signed bytes outlive the process: what was sent once is sent again, never signed anew.
    expect(new Set(sent).size).toBe(1)
  })
  test('has lost no run that finished while the coordinator did not answer', async () => {
    const jobs = peer.grant(40)
    const reached = Promise.withResolvers<void>()
    peer.state.intercept = (at) => {
      if (at !== '/v1/results') return
      reached.resolve()
      return new Promise(() => {})
    }
    const path = join(folder, 'spool.sqlite')
    const args = [peer.url, path, secretKey, ...jobs.map(({ id }) => id)]
    const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const
    const worker = spawn(process.execPath, [spoolScript, ...args], { stdio: [...stdio] })
    child = worker
    const ended = once(worker, 'exit')
    await reached.promise
    worker.send('add the others')
    expect(await once(worker, 'message')).toEqual(['spooled', undefined])
    worker.kill('SIGKILL')
    expect(await ended).toEqual([null, 'SIGKILL'])
    const spool = openSpool(path)
    const held = [0, 1].flatMap(spool.receipts).map((bytes) => toHex(parseReceipt(bytes).job))
    spool.closeFile()
    expect(held).toEqual(jobs.map(({ id }) => id))
  })
})
