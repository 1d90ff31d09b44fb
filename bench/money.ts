/** Money: postings in the ledger, the settlement of an epoch, a payout of many, and the replay of a whole log. */
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import type Database from 'better-sqlite3'
import { unmaturedAccount } from '../src/ledger/accounts.ts'
import { openLedger } from '../src/ledger/ledger.ts'
import type { Transfer } from '../src/ledger/transfer.ts'
import { throughput } from '../src/rules/objectives/throughput.ts'
import { type EpochWork, settleEpoch } from '../src/rules/settle-epoch.ts'
import { medianSeconds, sideBySide } from './measure.ts'
import { payout } from './payout.ts'
import { replay } from './replay.ts'
import { type Row, rowOf } from './row.ts'
import { openScratchDatabase } from './scratch-database.ts'

const WORKERS = 1_000
const TRANSFERS = 20_000
const TRANSFERS_PER_BATCH = 1_000
const BUDGET_MSAT = 10n ** 15n
const MIN_POSTING_RATIO = 0.4

const EPOCH_WORKERS = 100_000
const SUBNETS = 128
const RECEIPTS_PER_WORKER = 3
const MAX_SETTLEMENT_SECONDS = 3

export async function* rows(): AsyncGenerator<Row> {
  yield await postings()
  yield await settlement()
  yield payout()
  yield* replay()
}

async function postings(): Promise<Row> {
  using ours = openScratchDatabase()
  using bare = openScratchDatabase()
  const ledger = openLedger(ours.db)
  openLedger(bare.db).post([funding(), ...wages(0).slice(0, WORKERS)]) // opens the accounts
  ledger.post([funding(), ...wages(0).slice(0, WORKERS)])
  const insert = bareInsert(bare.db)
  let round = 0
  const batchesOf = (post: (batch: Transfer[]) => unknown) => () => {
    round += 1
    const transfers = wages(round)
    for (let from = 0; from < TRANSFERS; from += TRANSFERS_PER_BATCH) {
      post(transfers.slice(from, from + TRANSFERS_PER_BATCH))
    }
  }
  assert(ledger.post(wages(++round)).every((outcome) => outcome === 'applied'))
  assert.deepEqual(ledger.check(), [])
  const { oursSeconds, baselineSeconds } = await sideBySide(batchesOf(ledger.post), batchesOf(insert))
  return rowOf({
    name: `postings, ${TRANSFERS_PER_BATCH} to a batch, beside a bare INSERT loop`,
    value: TRANSFERS / oursSeconds,
    unit: 'postings/s',
    baseline: TRANSFERS / baselineSeconds,
    bar: { on: 'ratio', is: '≥', bound: MIN_POSTING_RATIO },
  })
}

/** The ledger's own statement, keys and triggers, without a question asked before. */
function bareInsert(db: Database.Database): (batch: Transfer[]) => void {
  const insert = db.prepare<[Transfer]>(
    `INSERT INTO ledger_transfer (id, kind, debit, credit, amount_msat, code, entry_index)
     VALUES (@id, 'direct', @debit, @credit, @amountMsat, @code, @entryIndex)`,
  )
  return db.transaction((batch: Transfer[]) => {
    for (const transfer of batch) insert.run(transfer)
  }).immediate
}

function funding(): Transfer {
  const [debit, credit] = ['treasury', 'budget/0'] as const
  return { id: 'funding', debit, credit, amountMsat: BUDGET_MSAT, code: 'deposit', entryIndex: 0 }
}

/** As an epoch's accruals: from its budget to many workers. */
const WAGES: readonly Transfer[] = Array.from({ length: TRANSFERS }, (_, i) => ({
  id: '',
  debit: 'budget/0',
  credit: unmaturedAccount(workerKey(i % WORKERS)),
  amountMsat: BigInt(1 + i),
  code: 'accrual',
  entryIndex: 1,
}))

function wages(round: number): Transfer[] {
  return WAGES.map((transfer, i) => ({ ...transfer, id: `accrue/${round}/${i}` }))
}

async function settlement(): Promise<Row> {
  const work = epochWork()
  const { compute, audit, returnedMsat, receipts } = settleEpoch(work)
  const paidMsat = [...compute, ...audit].reduce((sum, { msat }) => sum + msat, 0n)
  assert.equal(paidMsat + returnedMsat, work.budgetMsat)
  assert.equal(compute.length, EPOCH_WORKERS)
  assert.equal(receipts.length, EPOCH_WORKERS * RECEIPTS_PER_WORKER)
  return rowOf({
    name: `settlement of ${EPOCH_WORKERS} workers' receipts in ${SUBNETS} subnets`,
    value: await medianSeconds(() => settleEpoch(work)),
    unit: 's',
    bar: { on: 'value', is: '≤', bound: MAX_SETTLEMENT_SECONDS },
  })
}

function epochWork(): EpochWork {
  const keys = Array.from({ length: EPOCH_WORKERS }, (_, i) => workerKey(i))
  const subnets = Array.from({ length: SUBNETS }, (_, subnet) => ({
    name: `subnet-${subnet}`,
    weight: BigInt(1 + subnet),
    receipts: keys
      .filter((_key, worker) => worker % SUBNETS === subnet)
      .flatMap((worker) =>
        Array.from({ length: RECEIPTS_PER_WORKER }, (_, receipt) => ({
          receipt: hash('sha256', `${worker}/${receipt}`),
          worker,
          model: '',
          // More than its part of the budget, so that everything has to be divided.
          rewardMsat: BigInt(1_000 + receipt) * 10n ** 9n,
          share: throughput(),
          outcome: 'unsampled' as const,
        })),
      ),
  }))
  const audits = keys.slice(0, SUBNETS).map((auditor) => ({ auditor, units: 1_000n }))
  return { budgetMsat: BUDGET_MSAT, auditShareBasisPoints: 500, subnets, audits }
}

function workerKey(worker: number): string {
  return hash('sha256', `worker ${worker}`)
}
