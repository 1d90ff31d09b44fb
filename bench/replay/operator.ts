import { randomBytes } from 'node:crypto'
import { auditCommitment, signCommitments } from '../../compute/work/audit-commitment.ts'
import { encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { hex } from '../../compute/work/hex.ts'
import { putAccruals } from '../../src/log/accrual-table.ts'
import type { EntryOf } from '../../src/log/entry.ts'
import { encodePart, putParts } from '../../src/log/parts.ts'
import { maturityHeight, settlementHeight, verdictCutoffHeight } from '../../src/rules/epoch.ts'
import { epochRules } from '../../src/rules/epoch-rules.ts'
import { earnedOf, epochSums } from '../../src/rules/epoch-sums.ts'
import { openExpectedReward } from '../../src/rules/expected-reward.ts'
import { feesOf } from '../../src/rules/fees.ts'
import { earnedShare } from '../../src/rules/objectives/earned-share.ts'
import { outcomeOf } from '../../src/rules/outcome.ts'
import { chargeMsat } from '../../src/rules/price.ts'
import { auditRate, isSampled, ratioOf } from '../../src/rules/sampling.ts'
import { settleEpoch } from '../../src/rules/settle-epoch.ts'
import { subsidyMsat } from '../../src/rules/subsidy.ts'
import { subsidyWeight } from '../../src/rules/subsidy-weight.ts'
import {
  type BenchWorker,
  LEASED_MS,
  OUTPUT,
  REQUESTER,
  type SubmittedReceipt,
  type Task,
} from './bench-worker.ts'
import type { MirrorWriter } from './mirror-folder.ts'
import { PRICE_MSAT, type Stall } from './open-market.ts'

/** Of 110 bytes each, in an entry of 65,535. */
const COMMITMENTS_PER_ENTRY = 500

interface AcceptedReceipt extends SubmittedReceipt {
  /** Before its submission. */
  readonly unmaturedMsat: bigint
  readonly rewardMsat: bigint
  isSampled: boolean
}

/** What a coordinator adds to its workers' entries: budgets, audits by its own auditor, settlements and maturity. */
export function openOperator(
  mirror: MirrorWriter,
  {
    genesis,
    stalls,
    auditorKey,
    partLength,
  }: {
    genesis: EntryOf<'genesis'>
    stalls: readonly Stall[]
    auditorKey: Uint8Array
    partLength: number
  },
) {
  const { auditBasisPoints: auditShareBasisPoints, auditor, origin } = genesis
  const rules = epochRules(genesis)
  const subnets = stalls.map(({ subnet }) => subnet)
  const booked = (epoch: number) => subsidyMsat(epoch, genesis.subsidy)
  const expectedRewardMsat = openExpectedReward(
    { subnetsAt: () => subnets },
    { booked },
    { at: () => PRICE_MSAT },
    auditShareBasisPoints,
  )
  const accepted = new Map<number, AcceptedReceipt[]>()
  /** By epoch: settled, not matured. */
  const accruals = new Map<number, readonly { readonly worker: string; readonly msat: bigint }[]>()
  const unmatured = new Map<string, bigint>()

  function move(rows: readonly { readonly worker: string; readonly msat: bigint }[], sign: bigint): void {
    for (const { worker, msat } of rows) unmatured.set(worker, (unmatured.get(worker) ?? 0n) + sign * msat)
  }

  return {
    budget(epoch: number): void {
      mirror.append({ v: 1, kind: 'budget', epoch, msat: booked(epoch) })
    },

    accept(epoch: number, worker: BenchWorker, tasks: readonly Task[]): void {
      const unmaturedMsat = unmatured.get(worker.hex) ?? 0n
      const receipts = accepted.get(epoch) ?? []
      for (const receipt of worker.work(epoch, tasks)) {
        const { stall, item, units } = receipt
        const work = { subnet: stall.subnet.name, item: item === null ? null : BigInt(item), units }
        const rewardMsat = expectedRewardMsat({ ...work, epoch: BigInt(epoch) })
        receipts.push({ ...receipt, unmaturedMsat, rewardMsat, isSampled: false })
      }
      accepted.set(epoch, receipts)
    },

    /** Whatever the beacon draws, found right. */
    audit(epoch: number, beacon: Uint8Array): void {
      const drawn = (accepted.get(epoch) ?? []).filter((receipt) => {
        const { stall, submission: submissionId, position: index } = receipt
        const rate = auditRate({ ...receipt, floor: ratioOf(stall.subnet.auditFloor) })
        receipt.isSampled = isSampled({ beacon, submissionId, index, rate })
        return receipt.isSampled
      })
      for (let at = 0; at < drawn.length; at += COMMITMENTS_PER_ENTRY) {
        auditBatch(drawn.slice(at, at + COMMITMENTS_PER_ENTRY))
      }
    },

    async settle(epoch: number, blockAt: (height: number) => Promise<Uint8Array>): Promise<void> {
      const height = settlementHeight(epoch, rules)
      const judged = (accepted.get(epoch) ?? []).map((receipt) => judge(receipt))
      accepted.delete(epoch)
      const shares = settleEpoch({
        budgetMsat: booked(epoch),
        auditShareBasisPoints,
        subnets: subnets.map((subnet) => ({
          name: subnet.name,
          weight: subsidyWeight(subnet),
          receipts: judged.filter((one) => one.subnet === subnet.name),
        })),
        audits: judged.flatMap(({ isSampled, units }) =>
          isSampled ? [{ auditor: hex(auditor), units }] : [],
        ),
      })
      const fees = feesOf(judged)
      const openings = judged.map(({ opening }) => opening)
      mirror.append({
        v: 1,
        kind: 'epoch',
        epoch,
        accruals: (await putAccruals(epoch, { ...shares, fees }, mirror.put, partLength)).digest,
        openings: mirror.put(encodePart(await putParts(openings, mirror.put, partLength))),
        height,
        blockHash: await blockAt(verdictCutoffHeight(epoch, rules)),
        ...epochSums(shares, fees, 0n),
      })
      const rows = [...earnedOf(shares), ...fees]
      move(rows, 1n)
      accruals.set(epoch, rows)
      matureDue(height)
    },
  }

  function auditBatch(drawn: readonly AcceptedReceipt[]): void {
    const audits = drawn.map(({ receipt }) => ({ receipt, round: 0, salt: randomBytes(32) }))
    const commitments = audits.map(({ receipt, round, salt }) => ({
      commitment: auditCommitment({ auditor, receipt, salt, outputDigest: OUTPUT }),
      receipt,
      round,
    }))
    const signature = signCommitments(commitments, origin, auditorKey)
    mirror.append({ v: 1, kind: 'audit', auditor, commitments: encodeCbor(commitments), signature })
    const verdicts = audits.map((one) => ({ ...one, auditor, outputs: OUTPUT, reason: '', verdict: 'pass' }))
    mirror.append({
      v: 1,
      kind: 'verdict',
      verdicts: mirror.put(encodeCbor(verdicts)),
      count: verdicts.length,
    })
  }

  function matureDue(height: number): void {
    for (const [epoch, rows] of accruals) {
      const due = maturityHeight(epoch, rules)
      if (due > height) continue
      mirror.append({ v: 1, kind: 'status', subject: 'epoch', epoch, status: 'matured', height: due })
      move(rows, -1n)
      accruals.delete(epoch)
    }
  }
}

/** As settlement and fees ask for it. */
function judge({ stall, item, units, isSampled, receipt, worker, rewardMsat, opening }: AcceptedReceipt) {
  const chargedMsat = item === null ? chargeMsat(units, PRICE_MSAT) : 0n
  const outcome = outcomeOf({
    canary: null,
    verdict: isSampled ? 'pass' : null,
    isSuspended: false,
    isAssigned: item !== null,
    isRefunded: false,
    chargeMsat: chargedMsat,
    isRepeated: false,
    isSampled,
  })
  return {
    receipt: hex(receipt),
    worker: worker.hex,
    subnet: stall.subnet.name,
    model: hex(stall.model.digest),
    operatorBasisPoints: stall.subnet.operatorBasisPoints,
    requester: item === null ? REQUESTER : null,
    chargeMsat: chargedMsat,
    outcome,
    rewardMsat,
    share: earnedShare(stall.subnet.objective, { leasedMs: LEASED_MS, answeredMs: opening.answeredMs }),
    units,
    isSampled,
    opening,
  }
}
