import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import type { Peer } from './peer.ts'
import { openSite, type Site } from './site.ts'

/** More than is read from a table at a time. */
const MANY = 1_001

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

test('submissions that become due together are all drawn before anything is settled', async () => {
  await using site = await openSite(node, { flags: { 'epoch.auditRoundBlocks': '100' } })
  const worker = await drawnOne(site)
  // Small ones of the same worker, first in the log.
  site
    .coordinator()
    .books.db.prepare(
      `WITH RECURSIVE place (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM place WHERE i < ${MANY})
       INSERT INTO submission (entry_index, id, worker, sequence, count, unmatured_msat)
       SELECT -i, randomblob(32), ?, 1000 + i, 1, 0 FROM place`,
    )
    .run(worker.key)
  expect(site.status().work.undrawn).toBe(MANY)
  await site.house().desks.draw.drawDue(tipOf(site), site.anchored(), blockHash)
  expect(site.status().work.undrawn).toBe(0)
})

test('rounds that end together are all closed and decided at once', async () => {
  await using site = await openSite(node, { flags: { 'epoch.auditRoundBlocks': '100' } })
  await drawnOne(site)
  openLastRounds(site)
  expect(site.status().audits).toMatchObject({ void: 0, rounds: 1 + MANY })
  const { audits, draw } = site.house().desks
  expect(audits.closeSilent(1)).toBe(MANY)
  await draw.redrawDue(tipOf(site), site.anchored(), blockHash)
  expect(site.status().audits).toMatchObject({ void: MANY, rounds: 1 })
})

test('what waits for a verdict is found without looking at every receipt there ever was', async () => {
  await using site = await openSite(node)
  const plan = site
    .coordinator()
    .books.db.prepare<[], { detail: string }>(
      'EXPLAIN QUERY PLAN SELECT id FROM receipt WHERE sampled = 1 AND verdict IS NULL',
    )
    .all()
  expect(plan.map(({ detail }) => detail)).toEqual([expect.stringContaining('receipt_undecided')])
})

/** A worker with one receipt, which waits for its auditor. */
async function drawnOne(site: Site): Promise<Peer> {
  const [worker] = await site.begin(1)
  if (worker === undefined) throw new Error('no worker')
  await worker.work(undefined, 1)
  await site.mineUntil('the draw', () => site.status().audits.sampled === 1)
  return worker
}

function tipOf(site: Site): number {
  return site.coordinator().advancedTo() ?? 0
}

async function blockHash(height: number): Promise<Uint8Array> {
  return Buffer.from(String(await node.rpc.call('getblockhash', height)), 'hex').reverse()
}

/** As if the drawn receipt were one of many, two of whose auditors could not run them and whose third kept silent for long. */
function openLastRounds(site: Site): void {
  const { db } = site.coordinator().books
  const numbers = `WITH RECURSIVE place (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM place WHERE i < ${MANY})`
  db.transaction(() => {
    db.exec(
      `${numbers} INSERT INTO job (id, bytes, subnet, model, input, input_salt, origin_salt, origin_record, item, worker, epoch,
                                   units, output_bytes, entry_index, leased_ms, deadline_ms, unproven, is_private, state)
       SELECT randomblob(32), bytes, subnet, model, input, input_salt, origin_salt, origin_record, NULL, job.worker, epoch, units, output_bytes,
              job.entry_index, leased_ms, deadline_ms, unproven, is_private, 'submitted' FROM job JOIN place WHERE state = 'submitted'`,
    )
    db.exec(
      `INSERT INTO receipt (id, submission, position, job, reward_msat, sampled)
       SELECT randomblob(32), submission, 1000 + number, number, 0, 1 FROM receipt JOIN job
        WHERE job.state = 'submitted' AND number NOT IN (SELECT job FROM receipt)`,
    )
    for (const [round, state] of ['inconclusive', 'inconclusive', 'drawn'].entries()) {
      db.prepare(
        `INSERT INTO audit (receipt, round, auditor, drawn_height, state, verdict_entry)
         SELECT receipt.id, ?, auditor, 0, ?, ? FROM receipt JOIN audit AS drawn ON drawn.round = 0 AND drawn.state = 'drawn'
          WHERE receipt.position >= 1000 AND drawn.drawn_height > 0`,
      ).run(round, state, round === 2 ? null : 1)
    }
  })()
}
