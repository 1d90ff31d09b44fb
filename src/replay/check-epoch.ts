import { hex } from '../../compute/work/hex.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { budgetAccount, requesterAccount, unmaturedAccount } from '../ledger/accounts.ts'
import { putAccruals } from '../log/accrual-table.ts'
import type { EntryOf } from '../log/entry.ts'
import { budgetInForce } from '../rules/budget.ts'
import { lastHeight, settlementHeight, verdictCutoffHeight } from '../rules/epoch.ts'
import { earnedOf, epochSums } from '../rules/epoch-sums.ts'
import { demandOf, type Fee, feesOf } from '../rules/fees.ts'
import type { Accrued } from '../rules/maturing.ts'
import { earnedShare } from '../rules/objectives/earned-share.ts'
import { throughput } from '../rules/objectives/throughput.ts'
import { EPOCHS_IN_SIGHT } from '../rules/price.ts'
import type { Ratio } from '../rules/sampling.ts'
import { type EpochSettlement, settleEpoch } from '../rules/settle-epoch.ts'
import { subsidyWeight } from '../rules/subsidy-weight.ts'
import type { Markets } from '../subnet/markets.ts'
import { checkAssignment } from './check-assignment.ts'
import { checkOpenings } from './check-openings.ts'
import { checkSampling, type JudgedReceipt } from './check-sampling.ts'
import { judgeAgain } from './check-verdict.ts'
import { hasBusiness, submissionsOf } from './epoch-range.ts'
import type { Check } from './findings.ts'
import { observeCanaries } from './observe-canaries.ts'
import { latestTip, type ReplayedJob, type ReplayedReceipt, type ReplayState } from './replay-state.ts'
import { tableDifference } from './table-difference.ts'

/** Settles the epoch once more, from receipts to the last msat. */
export async function checkEpoch(state: ReplayState, entry: EntryOf<'epoch'>, index: number): Promise<void> {
  const check = state.findings.at('epochs', index)
  const { epoch } = entry
  const isNext = check(epoch >= state.nextEpoch, 'epoch_repeated', () => `epoch ${epoch} is settled already`)
  if (!isNext) return
  const due = settlementHeight(epoch, state.rules)
  const isDue = latestTip(state, index) >= due
  if (!check(isDue, 'settled_early', () => `the log held it before block ${due}`)) return
  await checkBlock(state, check, entry, due)
  const receipts = takeReceipts(state, check, epoch)
  const opened = await checkOpenings(state, entry, index, receipts)
  await checkAssignment(state, opened)
  const { judged, missed } = await checkSampling(state, epoch, index, opened)
  for (const receipt of receipts) for (const round of receipt.rounds) await judgeAgain(state, receipt, round)

  const bookedMsat = state.budgets.get(epoch)?.msat ?? 0n
  const budgetMsat = budgetInForce(state.budgets.get(epoch) ?? null, epoch, state)
  const shares = settleAgain(state, epoch, budgetMsat, judged)
  const fees = feesAgain(state, judged)
  await compareShares(state, check, entry, { shares, fees, lapsedMsat: bookedMsat - budgetMsat })
  post(state, epoch, shares, shares.returnedMsat + bookedMsat - budgetMsat)
  postFees(state, check, epoch, fees)
  state.earners.push({ entry: index, workers: [...new Set(shares.compute.map(({ worker }) => worker))] })
  noteDemand(state, epoch, judged)
  state.sample.add({
    receipts: judged.length,
    due: judged.filter(({ isSampled }) => isSampled).length,
    missed,
  })
  observeCanaries(state, judged, index)
  forget(state, judged)
  state.nextEpoch = epoch + 1
  state.knownHeight = settlementHeight(epoch, state.rules)
}

async function checkBlock(
  state: ReplayState,
  check: Check,
  { epoch, height, blockHash }: EntryOf<'epoch'>,
  due: number,
): Promise<void> {
  check(
    height === due,
    'height_mismatch',
    () => `settled at block ${height}, its settlement height is ${due}`,
  )
  const cutoff = verdictCutoffHeight(epoch, state.rules)
  const hash = await state.source.chain.blockHash(cutoff)
  check(
    hash !== null && Buffer.compare(hash, blockHash) === 0,
    'block_mismatch',
    () => `names a block ${cutoff} that the chain doesn't have`,
  )
}

/** Everything that the epoch's own blocks first anchored; no epoch before it may have been passed over. */
function takeReceipts(state: ReplayState, check: Check, epoch: number): ReplayedReceipt[] {
  for (let skipped = state.nextEpoch; skipped < epoch; skipped += 1) {
    check(
      !hasBusiness(state, skipped),
      'epoch_skipped',
      () => `epoch ${skipped} had a budget or work, and is not settled`,
    )
  }
  check(hasBusiness(state, epoch), 'epoch_empty', () => `epoch ${epoch} had neither budget nor work`)
  const due = submissionsOf(state, epoch)
  const to = state.anchored.sizeAt(lastHeight(epoch, state.rules))
  state.submissions = state.submissions.filter(({ entry }) => entry >= to)
  return due.flatMap(({ receipts }) => receipts)
}

function settleAgain(
  { genesis, markets }: ReplayState,
  epoch: number,
  budgetMsat: bigint,
  judged: readonly JudgedReceipt[],
): EpochSettlement {
  const bySubnet = Map.groupBy(judged, ({ receipt }) => receipt.job.subnet)
  return settleEpoch({
    budgetMsat,
    auditShareBasisPoints: genesis.auditBasisPoints,
    subnets: markets.subnetsAt(epoch).map((subnet) => ({
      name: subnet.name,
      weight: subsidyWeight(subnet),
      receipts: (bySubnet.get(subnet.name) ?? []).map(({ receipt, outcome, answeredMs }) => ({
        receipt: receipt.hex,
        worker: receipt.job.worker,
        model: hex(receipt.job.model),
        rewardMsat: receipt.rewardMsat,
        share: shareOf(markets, receipt.job, answeredMs),
        outcome,
      })),
    })),
    audits: judged.flatMap(({ receipt, auditor }) =>
      auditor === null ? [] : [{ auditor, units: receipt.job.units }],
    ),
  })
}

/** By the definition that its job was leased under. */
function shareOf(
  markets: Markets,
  { subnet, model, epoch, leasedMs }: ReplayedJob,
  answeredMs: number | null,
): Ratio {
  const found = markets.model(subnet, model, epoch)
  // Of whichever of the two is missing, a finding says so.
  if (found === null || answeredMs === null) return throughput()
  return earnedShare(found.subnet.objective, { leasedMs, answeredMs })
}

async function compareShares(
  state: ReplayState,
  check: Check,
  entry: EntryOf<'epoch'>,
  { shares, fees, lapsedMsat }: { shares: EpochSettlement; fees: readonly Fee[]; lapsedMsat: bigint },
): Promise<void> {
  const sums = epochSums(shares, fees, lapsedMsat)
  const lists = { ...shares, fees }
  const { head, digest } = await putAccruals(entry.epoch, lists, sha256, state.partLength)
  if (Buffer.compare(digest, entry.accruals) !== 0) {
    const difference = await tableDifference(state, check, entry.accruals, { head, lists })
    check(false, 'accrual_mismatch', () => `accruals: ${difference ?? 'another table'}`)
  }
  for (const key of ['computeMsat', 'auditMsat', 'feesMsat', 'returnedMsat'] as const) {
    check(entry[key] === sums[key], 'sum_mismatch', () => `${key} is ${entry[key]}, recomputed ${sums[key]}`)
  }
}

function post(
  { balances, accruals }: ReplayState,
  epoch: number,
  shares: EpochSettlement,
  returnedMsat: bigint,
): void {
  const budget = budgetAccount(epoch)
  const rows = earnedOf(shares).map((one): Accrued => ({ ...one, requester: null }))
  for (const { worker, msat } of rows) balances.move(budget, unmaturedAccount(worker), msat)
  balances.move(budget, 'reserve', returnedMsat)
  accruals.set(epoch, { isMatured: false, rows })
}

/** What requesters pay for exactly the receipts that they bought, at the price of the job's epoch. */
function feesAgain({ markets }: ReplayState, judged: readonly JudgedReceipt[]): Fee[] {
  return feesOf(
    judged.map(({ receipt, outcome, requester, chargeMsat }) => {
      const { subnet, epoch, worker, model } = receipt.job
      const definition = markets.subnetsAt(epoch).find(({ name }) => name === subnet)
      const operatorBasisPoints = definition?.operatorBasisPoints ?? 0
      return {
        receipt: receipt.hex,
        subnet,
        model: hex(model),
        worker,
        outcome,
        requester,
        chargeMsat,
        operatorBasisPoints,
      }
    }),
  )
}

function postFees(
  { balances, accruals, requesters }: ReplayState,
  check: Check,
  epoch: number,
  fees: readonly Fee[],
): void {
  for (const { receipt, requester, worker, msat, shareMsat } of fees) {
    check(
      requesters.has(requester),
      'requester_unknown',
      () => `${receipt} is bought by ${requester}, an unknown one`,
    )
    // Through escrow, and out of it at once.
    const account = requesterAccount(requester)
    const paid = balances.move(account, unmaturedAccount(worker), msat)
    const shared = balances.move(account, 'reserve', shareMsat)
    check(
      paid && shared,
      'charge_not_covered',
      () => `${requester} can't pay ${msat + shareMsat} msat for ${receipt}`,
    )
  }
  const rows = accruals.get(epoch)?.rows ?? []
  accruals.set(epoch, { isMatured: false, rows: [...rows, ...summed(fees)] })
}

/** They wait for their maturity together: one for each receipt would be as many as an epoch has. */
function summed(fees: readonly Fee[]): Iterable<Accrued> {
  const sums = new Map<string, Accrued>()
  for (const { worker, subnet, model, requester, msat } of fees) {
    const key = `${worker}/${subnet}/${model}/${requester}`
    sums.set(key, { worker, subnet, model, requester, msat: msat + (sums.get(key)?.msat ?? 0n) })
  }
  return sums.values()
}

/** The epoch's part in the next quotes. */
function noteDemand({ markets, prices }: ReplayState, epoch: number, judged: readonly JudgedReceipt[]): void {
  const names = markets.subnetsAt(epoch).map(({ name }) => name)
  const receipts = judged.map(({ receipt: { job }, outcome, requester }) => ({
    subnet: job.subnet,
    units: job.units,
    outcome,
    requester,
  }))
  for (const [subnet, demand] of demandOf(names, receipts)) {
    const known = prices.get(subnet) ?? { quotes: [], settled: [], fresh: 0 }
    known.settled = [...known.settled, demand].slice(-EPOCHS_IN_SIGHT)
    known.fresh = Math.min(known.fresh + 1, EPOCHS_IN_SIGHT)
    prices.set(subnet, known)
  }
}

/** Only who may still get a verdict is looked at again. */
function forget({ jobs, receipts }: ReplayState, judged: readonly JudgedReceipt[]): void {
  for (const { receipt, isSampled } of judged) {
    jobs.delete(receipt.job.hex)
    if (!isSampled || receipt.fate.verdict !== null) receipts.delete(receipt.hex)
  }
}
