import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseHeader } from '../../../compute/work/submission.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { type Entry, type EntryOf, encodeEntry, type StatusOf } from '../../../src/log/entry.ts'
import { replay } from '../../../src/replay/replay.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import type { Peer } from '../coordinator/peer.ts'
import { openSite, type Site } from '../coordinator/site.ts'
import { cheatedOutput, STRICT_MARKET } from '../coordinator/tiny-market.ts'
import { type ChangedLog, changeEntry, without } from './changed-log.ts'
import { entriesOf, find, inOrder, recordLog } from './recorded-log.ts'

let node: RegtestNode
let log: ReplaySource
beforeAll(async () => {
  node = await startBitcoind()
  await using site = await openSite(node, {
    subnets: [STRICT_MARKET],
    flags: { 'epoch.maturityBlocks': '30', 'epoch.suspensionBlocks': '4' },
  })
  await earnThenCheat(site)
  log = await recordLog(site, node)
  expect(await replay(log)).toMatchObject({ ok: true, first: null })
})
afterAll(() => node.stop())

/** One worker is paid for honest work, suspended for the next, and returns. */
async function earnThenCheat(site: Site): Promise<void> {
  const people = await site.begin(3)
  const [cheat, ...loyal] = people
  if (cheat === undefined) throw new Error('no worker')
  const standing = (peer: Peer) =>
    site.status().workers.find(({ worker }) => worker === peer.hex)?.standing ?? 'good'
  for (const peer of people.slice(0, 3)) await peer.work()
  await site.mineAudited(people, 'settlement and new work', () => {
    const { epochs, work } = site.status()
    return epochs.some(({ settled }) => settled) && work.itemsAssigned > 0
  })
  await cheat.work(cheatedOutput)
  await site.mineAudited(people, 'the suspension', () => standing(cheat) === 'suspended')
  await site.mineAudited(loyal, 'the return', () => standing(cheat) === 'good')
  await site.anchorAll()
  await site.mine(site.config.epoch.finalDepth)
}

type WorkerStatus = StatusOf<'worker'>['status']
const isWorkers = (entry: Entry, ...statuses: WorkerStatus[]) =>
  entry.kind === 'status' && entry.subject === 'worker' && statuses.includes(entry.status)

describe('the first standing that differs is named:', () => {
  test.each<[what: string, code: string, change: () => Promise<ChangedLog>]>([
    [
      'a suspension that is left out',
      'standing_missing',
      () => leftOut((entry) => isWorkers(entry, 'suspended')),
    ],
    ['a forfeit that is left out', 'standing_missing', () => leftOut(({ kind }) => kind === 'forfeit')],
    [
      'a forfeit of 1 msat less',
      'standing_mismatch',
      () => changeEntry(log, 'forfeit', (entry) => ({ ...entry, msat: entry.msat - 1n })),
    ],
    [
      "a forfeit of another's money",
      'standing_mismatch',
      () => changeEntry(log, 'forfeit', (entry) => ({ ...entry, worker: new Uint8Array(32) })),
    ],
    [
      'a suspension told as a good standing',
      'standing_mismatch',
      () => changeWorker('suspended', (entry) => ({ ...entry, status: 'good' })),
    ],
    [
      'a suspension with other evidence',
      'standing_mismatch',
      () => changeWorker('suspended', (entry) => ({ ...entry, evidence: entry.evidence.slice(1) })),
    ],
    [
      'a suspension of somebody else',
      'standing_mismatch',
      () => changeWorker('suspended', (entry) => ({ ...entry, worker: new Uint8Array(32) })),
    ],
    ['a suspension that nothing calls for', 'standing_unfounded', () => early('suspended')],
    ['a forfeit that nothing calls for', 'standing_unfounded', () => again(({ kind }) => kind === 'forfeit')],
    [
      'a return at another height',
      'height_mismatch',
      () => changeWorker('returned', (entry) => ({ ...entry, height: (entry.height ?? 0) + 1 })),
    ],
    [
      'a return that is no new beginning',
      'standing_mismatch',
      () => changeWorker('returned', (entry) => ({ ...entry, score: 1 })),
    ],
    [
      'a return of one that is not away',
      'return_unfounded',
      () => again((entry) => isWorkers(entry, 'returned')),
    ],
    [
      'a return before its height',
      'returned_early',
      () => afterForfeit((entry) => isWorkers(entry, 'returned')),
    ],
    ['a freeze that nothing calls for', 'standing_unfounded', () => appended(modelStatus('frozen'))],
    ['the thaw of what is not frozen', 'model_not_frozen', () => appended(modelStatus('upheld'))],
  ])('%s (%s)', async (_, code, change) => {
    const { source, entry } = await change()
    const { ok, rules } = await replay(source)
    expect(ok).toBe(false)
    expect(rules.find(({ name }) => name === 'standings')?.first).toMatchObject({ code, entry })
  })

  test('an audit by whom the log has suspended', async () => {
    const { entry: forfeit } = await find(log, 'forfeit')
    const isItsOwn = (entry: Entry) => entry.kind === 'audit' && equal(entry.auditor, forfeit.worker)
    const { source, entry } = await afterForfeit(isItsOwn)
    const audits = (await replay(source)).rules.find(({ name }) => name === 'audits')
    expect(audits?.first).toMatchObject({ code: 'auditor_suspended', entry })
  })

  test.each([
    ['jobs', (entry: Entry) => (entry.kind === 'jobs' ? entry.worker : null)],
    [
      'submissions',
      (entry: Entry) => (entry.kind === 'submission' ? parseHeader(entry.header).worker : null),
    ],
  ] as const)('%s of whom the log has suspended', async (rule, workerOf) => {
    const { entry: forfeit } = await find(log, 'forfeit')
    const { source, entry } = await afterForfeit((one) => equal(workerOf(one), forfeit.worker))
    const first = (await replay(source)).rules.find(({ name }) => name === rule)?.first
    expect(first).toMatchObject({ code: 'worker_suspended', entry })
  })

  test('a return that never comes', async () => {
    const source = await without(log, (entry) => isWorkers(entry, 'returned'))
    const overdue = (await replay(source)).rules.find(({ name }) => name === 'overdue')
    expect(overdue?.first).toMatchObject({ code: 'return_overdue', entry: null })
  })
})

function equal(key: Uint8Array | null, other: Uint8Array): boolean {
  return key !== null && Buffer.compare(key, other) === 0
}

async function leftOut(isMeant: (entry: Entry) => boolean): Promise<ChangedLog> {
  const index = await indexOf(isMeant)
  return { source: await without(log, (_, i) => i === index), entry: index }
}

function changeWorker(
  status: WorkerStatus,
  change: (entry: StatusOf<'worker'>) => EntryOf<'status'>,
): Promise<ChangedLog> {
  return changeEntry(
    log,
    'status',
    (entry) => (entry.subject === 'worker' ? change(entry) : entry),
    (entry) => isWorkers(entry, status),
  )
}

/** In the place of the entry after the first submission: nothing is expected there. */
async function early(status: WorkerStatus): Promise<ChangedLog> {
  const { entry: told } = await find(log, 'status', (entry) => isWorkers(entry, status))
  const { index } = await find(log, 'submission')
  const entries = await entriesOf(log)
  return {
    source: { ...log, entries: () => inOrder(entries.with(index + 1, encodeEntry(told))) },
    entry: index + 1,
  }
}

/** Said once more, or too early, when a worker has just been suspended. */
async function afterForfeit(isMeant: (entry: Entry) => boolean): Promise<ChangedLog> {
  const { index } = await find(log, 'forfeit')
  const entries = await entriesOf(log)
  const said = entries[await indexOf(isMeant)]
  if (said === undefined) throw new Error('no such entry')
  return { source: { ...log, entries: () => inOrder(entries.with(index + 1, said)) }, entry: index + 1 }
}

async function again(isMeant: (entry: Entry) => boolean): Promise<ChangedLog> {
  const bytes = (await entriesOf(log))[await indexOf(isMeant)]
  if (bytes === undefined) throw new Error('no such entry')
  return appendedBytes(bytes)
}

function appended(entry: Entry): Promise<ChangedLog> {
  return appendedBytes(encodeEntry(entry))
}

async function appendedBytes(bytes: Uint8Array): Promise<ChangedLog> {
  const entries = await entriesOf(log)
  return { source: { ...log, entries: () => inOrder([...entries, bytes]) }, entry: entries.length }
}

async function indexOf(isMeant: (entry: Entry) => boolean): Promise<number> {
  for (const kind of ['status', 'forfeit', 'audit', 'jobs', 'submission'] as const) {
    const found = await find(log, kind, isMeant).catch(() => null)
    if (found !== null) return found.index
  }
  throw new Error('no such entry')
}

function modelStatus(status: StatusOf<'model'>['status']): Entry {
  const model = new Uint8Array(32)
  return { v: 1, kind: 'status', subject: 'model', subnet: 'tiny', model, status, workers: [] }
}
