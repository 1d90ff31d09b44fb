import { afterAll, beforeAll, expect, test } from 'vitest'
import { jobId } from '../../../compute/work/job.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { renderStatus } from '../../../src/cli/status-screen.ts'
import { readStatus } from '../../../src/client/read-status.ts'
import type { Peer } from './peer.ts'
import { openSite, type Site } from './site.ts'
import { tinyInput, tinyMarket } from './tiny-market.ts'

/** For each auditor; a worker has two others, the operator's among them. */
const MAX_OPEN = 2
const LIMIT = 2 * MAX_OPEN
/** So many that chance leaves neither of two workers with LIMIT of them. */
const MANY_ITEMS = { items: Array.from({ length: 100 }, (_, item) => tinyInput(item + 1)), perEpoch: 100 }

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

test('a new key gets work only as far as the auditors can take it, from lease to verdict; a proven one always', async () => {
  await using site = await openSite(node, {
    flags: {
      'audits.maxOpenPerAuditor': `${MAX_OPEN}`,
      'epoch.blocks': '12',
      'epoch.auditRoundBlocks': '100',
      'epoch.maturityBlocks': '100',
    },
    subnets: [tinyMarket({ dataset: MANY_ITEMS })],
  })
  const [worker, other, operator] = await begin(site)
  expect(await refusalOf(worker)).toBeNull()
  const jobs = await worker.lease()
  expect(jobs).toHaveLength(LIMIT)
  expect(await full(worker)).toBe('audit_capacity_full')
  expect(await full(other)).toBe('audit_capacity_full')

  const [first, ...rest] = jobs
  if (first === undefined) throw new Error('jobs')
  await worker.call('/v1/failures', { failures: [{ job: jobId(first.job), reason: 'given back' }] })
  const again = await worker.lease()
  expect(again).toHaveLength(1)

  // Answered, submitted, drawn: the audits still lie ahead.
  const works = await worker.hold([...rest, ...again])
  expect(await full(worker)).toBe('audit_capacity_full')
  await worker.submit(worker.draft(works.map(({ receipt }) => receipt)))
  expect(await full(worker)).toBe('audit_capacity_full')
  await site.mineUntil('the draw', () => site.status().audits.rounds === LIMIT)
  expect(await full(worker)).toBe('audit_capacity_full')
  expect(site.status().audits).toMatchObject({ load: LIMIT, limit: 3 * MAX_OPEN })

  for (const auditor of [other, operator]) await auditor.audit()
  expect(site.status().audits.load).toBe(0)
  expect(await worker.lease()).toHaveLength(LIMIT)

  // With rewards to lose it is sampled, and waits for nobody.
  await site.mineAudited([worker, other, operator], 'the settlement and new work', () => {
    const { epochs, work } = site.status()
    return epochs.some(({ settled }) => settled) && work.itemsAssigned > 0
  })
  expect((await worker.lease()).length).toBeGreaterThan(LIMIT)
})

test('nobody who audits: new keys get nothing, and worker and operator are told why', async () => {
  await using site = await openSite(node)
  const worker = await site.peer()
  await site.anchorAll()
  await site.mineTo(site.startHeight - 1)
  expect(site.status().work.itemsAssigned).toBeGreaterThan(0)
  expect(await full(worker)).toBe('audit_capacity_full')
  expect(renderStatus(await readStatus(site.url))).toContain('nobody audits')
  await site.auditor()
  expect(await worker.lease()).not.toEqual([])
})

async function begin(site: Site): Promise<[Peer, Peer, Peer]> {
  const [worker, other, operator] = await site.begin(2)
  if (worker === undefined || other === undefined || operator === undefined) throw new Error('three peers')
  return [worker, other, operator]
}

/** The reason of a lease that has to be empty. */
async function full(peer: Peer): Promise<unknown> {
  expect(await peer.lease()).toEqual([])
  return refusalOf(peer)
}

/** Asked without taking anything. */
async function refusalOf(peer: Peer): Promise<unknown> {
  const { jobs, reason } = Object(await peer.call('/v1/leases', { max: 1, waitMs: 0 }))
  for (const { job } of jobs) {
    await peer.call('/v1/failures', { failures: [{ job: jobId(job), reason: 'only asked' }] })
  }
  return reason
}
