import { expect, test } from 'vitest'
import { startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { replay } from '../../../src/replay/replay.ts'
import { recordLog } from '../replay/recorded-log.ts'
import { epochEntry } from './epoch-entry.ts'
import { idOf, worksOf } from './peer.ts'
import { BUDGET_MSAT, openSite } from './site.ts'
import { tinyInput, tinyMarket } from './tiny-market.ts'

/** One item each, so that each receipt of a worker is of another subnet. */
const SUBNETS = Array.from({ length: 128 }, (_, i) =>
  tinyMarket({
    name: `subnet-${i + 1}`,
    weight: i + 1,
    dataset: { items: [tinyInput(i + 1)], perEpoch: 1 },
  }),
)
const WEIGHTS = SUBNETS.reduce((sum, { weight }) => sum + BigInt(weight), 0n)
const COMPUTE_MSAT = (BUDGET_MSAT * 95n) / 100n

test('128 subnets stand side by side, and each pays what was done in it by its weight', async () => {
  await using node = await startBitcoind()
  await using site = await openSite(node, { subnets: SUBNETS })
  const [worker, auditor] = await site.begin(1)
  if (worker === undefined || auditor === undefined) throw new Error('two peers')
  expect(site.status().subnets).toHaveLength(SUBNETS.length)
  const works = await worksOf(worker.work(undefined, 12))
  await site.mineAudited([worker, auditor], 'the settlement', () =>
    site.status().epochs.some(({ settled }) => settled),
  )

  const { db } = site.coordinator().books
  const subnets = db
    .prepare<[], string>('SELECT subnet FROM job JOIN receipt ON receipt.job = job.number ORDER BY subnet')
    .pluck()
    .all()
  expect(new Set(subnets).size).toBe(works.length)
  const earned = subnets.map((name) => [name, (COMPUTE_MSAT * BigInt(name.split('-')[1] ?? 0)) / WEIGHTS])
  const accrued = db
    .prepare<[Uint8Array], [string, bigint]>(
      "SELECT subnet, msat FROM accrual WHERE worker = ? AND subnet <> '(audit)' ORDER BY subnet",
    )
    .raw()
    .all(worker.key)
  expect(accrued).toEqual(earned)
  const { entry, reasons } = epochEntry(site, 0)
  expect(works.map((work) => reasons.get(idOf(work)))).toEqual(works.map(() => 'earned'))
  expect(entry.computeMsat).toBe(accrued.reduce((sum, [, msat]) => sum + msat, 0n))
  expect(entry.computeMsat + entry.auditMsat + entry.returnedMsat).toBe(BUDGET_MSAT)
  await site.anchorAll()
  expect(await replay(await recordLog(site, node))).toMatchObject({ ok: true, first: null })
  expect(site.troubles).toEqual([])
})
