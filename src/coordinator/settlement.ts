import { setImmediate } from 'node:timers/promises'
import { budgetAccount, unmaturedAccount } from '../ledger/accounts.ts'
import type { Transfer } from '../ledger/transfer.ts'
import { putAccruals } from '../log/accrual-table.ts'
import { encodePart } from '../log/parts.ts'
import type { Anchored } from '../rules/anchored.ts'
import type { EpochRules } from '../rules/epoch.ts'
import { maturityHeight, settlementHeight, verdictCutoffHeight } from '../rules/epoch.ts'
import { earnedOf, epochSums } from '../rules/epoch-sums.ts'
import { demandOf, type Fee, feesOf } from '../rules/fees.ts'
import { AUDIT } from '../rules/maturing.ts'
import { isRefuted } from '../rules/outcome.ts'
import { settleEpoch } from '../rules/settle-epoch.ts'
import { modelKey } from '../rules/standings.ts'
import { subsidyWeight } from '../rules/subsidy-weight.ts'
import type { Books } from './books.ts'
import { postUnquarantined, record } from './books.ts'
import type { Budgets } from './budgets.ts'
import type { CanaryVerdicts } from './canary-verdicts.ts'
import type { Charges } from './charges.ts'
import type { EpochMarks } from './epoch-marks.ts'
import type { EpochReceipt, EpochWorkReader } from './epoch-work.ts'
import { openHolds } from './holds.ts'
import type { Market } from './market.ts'
import type { Maturing } from './maturing.ts'
import type { Prices } from './prices.ts'

export interface Settlement {
  /** Settles every epoch whose settlement height is reached, in order. @returns the epochs settled now. */
  settleDue(
    tip: number,
    anchored: Anchored,
    blockHash: (height: number) => Promise<Uint8Array>,
  ): Promise<number[]>
  /** The last block that may anchor a verdict on the next epoch to be settled. */
  nextCutoff(): number
  /** The highest block at which an epoch was settled, with an entry or without, or matured; 0 before any. */
  knownHeight(): number
  /** Turns the accruals of settled epochs into money that can be paid, at their maturity heights. */
  matureDue(tip: number): number[]
}

export function openSettlement(
  books: Books,
  parts: {
    market: Market
    budgets: Budgets
    canaryVerdicts: CanaryVerdicts
    prices: Prices
    charges: Charges
    work: EpochWorkReader
    marks: EpochMarks
    maturing: Maturing
    rules: EpochRules
    auditShareBasisPoints: number
  },
): Settlement {
  const { db } = books
  const nextEpoch = db
    .prepare<[], bigint>('SELECT coalesce(max(number) + 1, 0) FROM epoch WHERE settled = 1')
    .pluck()
  const setSettled = db.prepare(
    `INSERT INTO epoch (number, settled, settled_entry) VALUES (?, 1, ?)
     ON CONFLICT (number) DO UPDATE SET settled = 1, settled_entry = excluded.settled_entry WHERE settled = 0`,
  )
  const selectUnmatured = db
    .prepare<[], bigint>(
      'SELECT number FROM epoch WHERE settled_entry IS NOT NULL AND matured_entry IS NULL ORDER BY number',
    )
    .pluck()
  const lastMatured = db
    .prepare<[], bigint | null>('SELECT max(number) FROM epoch WHERE matured_entry IS NOT NULL')
    .pluck()
  const setMatured = db.prepare(
    'UPDATE epoch SET matured_entry = ? WHERE number = ? AND matured_entry IS NULL',
  )
  const holds = openHolds(books)
  const insertAccrual = db.prepare(
    'INSERT INTO accrual (epoch, worker, subnet, model, msat) VALUES (?, ?, ?, ?, ?)',
  )

  async function settleDue(
    tip: number,
    anchored: Anchored,
    blockHash: (height: number) => Promise<Uint8Array>,
  ): Promise<number[]> {
    const settled: number[] = []
    for (let epoch = Number(nextEpoch.get()); settlementHeight(epoch, parts.rules) <= tip; epoch += 1) {
      const height = settlementHeight(epoch, parts.rules)
      // The block that closed the epoch's verdicts is final by now; the settlement block itself may yet be replaced.
      await settle(epoch, height, await blockHash(verdictCutoffHeight(epoch, parts.rules)), anchored)
      // What is leased in this epoch had until now, a whole epoch's settlement, to be submitted.
      parts.charges.refundUnsubmitted(epoch)
      settled.push(epoch)
    }
    return settled
  }

  /** A part at a time, durable; whoever asks meanwhile is answered. */
  async function put(blob: Uint8Array): Promise<Uint8Array> {
    const name = books.blobs.putSync(blob)
    await setImmediate()
    return Buffer.from(name, 'hex')
  }

  async function settle(
    epoch: number,
    height: number,
    blockHash: Uint8Array,
    anchored: Anchored,
  ): Promise<void> {
    const suspension = parts.work.lastSuspension()
    const work = await parts.work.read(epoch, anchored, put)
    const { receipts, audits } = work
    const bookedMsat = parts.budgets.booked(epoch)
    if (bookedMsat === 0n && receipts.length === 0) {
      setSettled.run(epoch, null)
      return
    }
    const budgetMsat = parts.budgets.budgetInForce(epoch, anchored)
    const subnets = parts.market.subnetsAt(epoch).map((subnet) => ({
      name: subnet.name,
      weight: subsidyWeight(subnet),
      receipts: receipts.filter((receipt) => receipt.subnet === subnet.name),
    }))
    const shares = settleEpoch({
      budgetMsat,
      auditShareBasisPoints: parts.auditShareBasisPoints,
      subnets,
      audits,
    })
    const fees = feesOf(
      receipts.map((receipt) => ({
        ...receipt,
        operatorBasisPoints: operatorBasisPoints(receipt.subnet, receipt.jobEpoch),
      })),
    )
    // A worker that was suspended meanwhile earns nothing any more. Parts of what is put aside stay behind.
    const isOutdated = () => parts.work.lastSuspension() !== suspension
    if (isOutdated()) return settle(epoch, height, blockHash, anchored)
    const accruals = await putAccruals(epoch, { ...shares, fees }, put)
    const openings = await put(encodePart(work.openings))
    if (isOutdated()) return settle(epoch, height, blockHash, anchored)
    const entry = {
      v: 1,
      kind: 'epoch',
      epoch,
      accruals: accruals.digest,
      openings,
      height,
      blockHash,
      ...epochSums(shares, fees, bookedMsat - budgetMsat),
    } as const
    record(books, entry, (entryIndex) => {
      if (setSettled.run(epoch, entryIndex).changes !== 1)
        throw new Error(`epoch ${epoch} is settled already`)
      const budget = budgetAccount(epoch)
      const earned = earnedOf(shares)
      const transfers: Transfer[] = earned.map(({ worker, subnet, model, msat }) => ({
        id: `epoch/${epoch}/${modelKey(subnet, model)}/${worker}`,
        debit: budget,
        credit: unmaturedAccount(worker),
        amountMsat: msat,
        code: subnet === AUDIT ? 'audit' : 'compute',
        entryIndex,
      }))
      if (entry.returnedMsat > 0n) {
        transfers.push({
          id: `epoch/${epoch}/returned`,
          debit: budget,
          credit: 'reserve',
          amountMsat: entry.returnedMsat,
          code: 'returned',
          entryIndex,
        })
      }
      postUnquarantined(books, transfers)
      for (const { worker, subnet, model, msat } of earned)
        insertAccrual.run(epoch, Buffer.from(worker, 'hex'), subnet, model, msat)
      // As a failed audit's (audits.ts): anyone can compare it with the known answer, which is kept as well.
      holds.keep(work.refuted, false)
      parts.marks.reopenRefuted(receipts)
      parts.marks.keepReasons(shares.receipts)
      settleRequests(epoch, receipts, fees, entryIndex)
      const names = subnets.map(({ name }) => name)
      parts.prices.noteDemand(entryIndex, demandOf(names, receipts))
      parts.canaryVerdicts.observe(work.canaries(), entryIndex)
    })
  }

  function operatorBasisPoints(subnet: string, epoch: number): number {
    return parts.market.subnetsAt(epoch).find(({ name }) => name === subnet)?.operatorBasisPoints ?? 0
  }

  /** Every reservation ends here: paid to the receipt that it bought, or the requester's again. */
  function settleRequests(
    epoch: number,
    receipts: readonly EpochReceipt[],
    fees: readonly Fee[],
    entryIndex: number,
  ): void {
    const jobs = new Map(receipts.map(({ receipt, job }) => [receipt, job]))
    const bought = fees.flatMap((fee) => {
      const job = jobs.get(fee.receipt)
      return job === undefined ? [] : [{ ...fee, job }]
    })
    parts.charges.settle(epoch, bought, entryIndex)
    const unpaid = receipts.flatMap(({ job, requester, chargeMsat, outcome }) =>
      requester !== null && chargeMsat > 0n && isRefuted(outcome) ? [{ job, requester }] : [],
    )
    parts.charges.release(unpaid, entryIndex)
  }

  function matureDue(tip: number): number[] {
    const due = selectUnmatured
      .all()
      .map(Number)
      .filter((epoch) => maturityHeight(epoch, parts.rules) <= tip)
    for (const epoch of due) mature(epoch)
    return due
  }

  function mature(epoch: number): void {
    const height = maturityHeight(epoch, parts.rules)
    const entry = { v: 1, kind: 'status', subject: 'epoch', epoch, status: 'matured', height } as const
    record(books, entry, (entryIndex) => {
      if (setMatured.run(entryIndex, epoch).changes !== 1)
        throw new Error(`epoch ${epoch} has matured already`)
      parts.maturing.release(entryIndex)
    })
  }

  return {
    settleDue,
    matureDue,
    knownHeight() {
      const settled = Number(nextEpoch.get()) - 1
      const matured = Number(lastMatured.get() ?? -1n)
      return Math.max(
        settled < 0 ? 0 : settlementHeight(settled, parts.rules),
        matured < 0 ? 0 : maturityHeight(matured, parts.rules),
      )
    },
    nextCutoff: () => verdictCutoffHeight(Number(nextEpoch.get()), parts.rules),
  }
}
