import { seededRandom } from '../../compute/work/seeded-random.ts'
import { NO_SUSPICION, type Suspicion, standingOf } from '../rules/cusum.ts'
import { evidenceOf } from '../rules/cusum-evidence.ts'
import { mayMature } from '../rules/maturing.ts'
import { throughput } from '../rules/objectives/throughput.ts'
import { auditRate } from '../rules/sampling.ts'
import { type EpochSettlement, type SettlementReceipt, settleEpoch } from '../rules/settle-epoch.ts'
import type { AuditDraws } from './audit-draws.ts'
import { auditSubmission } from './audit-submission.ts'
import { drawnItems, ITEMS } from './drawn-items.ts'
import {
  AUDIT_SHARE_BASIS_POINTS,
  BUDGET_MSAT,
  EPOCHS,
  MODEL,
  named,
  OTHERS,
  P0,
  RECEIPTS_PER_EPOCH,
  REWARD_MSAT,
  type Setting,
  SUBNET,
} from './setting.ts'
import type { Move, Strategy } from './strategies.ts'

interface Life {
  /** Matured rewards less costs. */
  profitMsat: number
  /** Keys that were suspended. */
  suspensions: number
}

interface WorkerKey {
  name: string
  id: Uint8Array
  earnedEpoch: number | null
  suspicion: Suspicion
  unmatured: { epoch: number; msat: bigint }[]
}

const PLAYER = 'player'
const NO_WORK: Move = { receipts: 0, cheatShare: 0, isThin: false }
const NO_AUDITS = { all: 0, own: 0 }
const OTHERS_RECEIPTS = Number(OTHERS) * RECEIPTS_PER_EPOCH
const EVIDENCE = evidenceOf(P0)

/**
 * Plays one life of a strategy by the product's rules: items, audit rates, draws, statistic, settlement,
 * maturity. What is held when everything else has matured counts as lost: a worker that has left passes no
 * more audits.
 */
export function playStrategy(strategy: Strategy, setting: Setting, seed: string, draws: AuditDraws): Life {
  const { maturityEpochs, costShare } = setting
  const receiptCostMsat = costShare * Number(REWARD_MSAT)
  const random = seededRandom(seed)
  let keyCount = 0
  const newKey = (): WorkerKey => {
    const name = `key ${keyCount++}`
    return { name, id: named(name), earnedEpoch: null, suspicion: NO_SUSPICION, unmatured: [] }
  }
  let keys = Array.from({ length: strategy.keys }, newKey)
  let profitMsat = 0

  // After the last epoch of work everybody waits for what is still to mature.
  for (let epoch = 0; epoch < EPOCHS + maturityEpochs; epoch++) {
    const score = keys.reduce((most, { suspicion }) => (suspicion.score > most ? suspicion.score : most), 0n)
    const move = epoch < EPOCHS ? strategy.move({ epoch, maturityEpochs, score }) : NO_WORK
    const beacon = named(seed, 'beacon', epoch)
    const drawn = drawnItems(keys, { epoch, beacon })
    const worked = keys.map((key) => {
      const receipts = Math.min(move.receipts, drawn(key))
      return work(key, { strategy, setting, move, receipts, beacon, random })
    })
    const others = move.isThin ? 0 : keys.reduce((left, key) => left - drawn(key), ITEMS)
    const audits = draws[epoch] ?? NO_AUDITS
    const auditsOf = (count: number) => Math.round((count * others) / OTHERS_RECEIPTS)
    const ownAudits = strategy.audits ? auditsOf(audits.own) : 0
    const receipts = worked.flatMap((one) => one.receipts)
    const settled = settle(receipts, { all: auditsOf(audits.all), own: ownAudits }, others)
    const cost = worked.reduce((sum, one) => sum + one.cost, ownAudits)
    const auditPay = settled.audit.find(({ auditor }) => auditor === PLAYER)
    profitMsat += Number(auditPay?.msat ?? 0n) - receiptCostMsat * cost
    for (const key of keys) {
      const pay = settled.compute.find(({ worker }) => worker === key.name)
      if (pay !== undefined) key.earnedEpoch = epoch
      key.unmatured.push({ epoch, msat: pay?.msat ?? 0n })
      profitMsat += Number(mature(key, epoch - maturityEpochs))
    }
    keys = keys.map((key) => (standingOf(key.suspicion) === 'suspended' ? newKey() : key))
  }
  return { profitMsat, suspensions: keyCount - strategy.keys }
}

/** A key's part of an epoch's work; `cost` counts honest receipts' costs. */
function work(
  key: WorkerKey,
  world: {
    strategy: Strategy
    setting: Setting
    move: Move
    receipts: number
    beacon: Uint8Array
    random: () => number
  },
): { receipts: SettlementReceipt[]; cost: number } {
  const { strategy, setting, move, receipts, beacon, random } = world
  const shamMsat = BigInt(strategy.shamEpochs * RECEIPTS_PER_EPOCH) * REWARD_MSAT
  const unmaturedMsat = sumOf(key.unmatured) + shamMsat
  const rate = auditRate({ rewardMsat: REWARD_MSAT, unmaturedMsat, floor: setting.floor })
  const isCertain = rate.numerator === rate.denominator
  const submission = {
    beacon,
    submissionId: named(key.name, 'submission'),
    receipts,
    cheatShare: strategy.waits && isCertain ? 0 : move.cheatShare,
    rate,
  }
  const audited = auditSubmission(submission, key.suspicion, EVIDENCE, strategy, random)
  key.suspicion = audited.suspicion
  const isSuspended = standingOf(key.suspicion) === 'suspended'
  return {
    // Receipts of one fate are one line: their rewards add up alike.
    receipts: (['pass', 'fail', 'unsampled'] as const).map((fate) => ({
      receipt: `${key.name} ${fate}`,
      worker: key.name,
      model: MODEL,
      rewardMsat: BigInt(audited[fate]) * REWARD_MSAT,
      share: throughput(),
      outcome: isSuspended ? 'suspended' : fate,
    })),
    cost: receipts - audited.cheated + strategy.cheatCost * audited.cheated,
  }
}

/** Beside the others' work. What the player leaves unaudited is redrawn to them. */
function settle(
  receipts: SettlementReceipt[],
  audits: { all: number; own: number },
  othersReceipts: number,
): EpochSettlement {
  const others: SettlementReceipt = {
    receipt: 'others',
    worker: 'others',
    model: MODEL,
    rewardMsat: BigInt(othersReceipts) * REWARD_MSAT,
    share: throughput(),
    outcome: 'unsampled',
  }
  return settleEpoch({
    budgetMsat: BUDGET_MSAT,
    auditShareBasisPoints: AUDIT_SHARE_BASIS_POINTS,
    subnets: [{ name: SUBNET, weight: 1n, receipts: [...receipts, others] }],
    audits: [
      { auditor: PLAYER, units: BigInt(audits.own) },
      { auditor: 'others', units: BigInt(audits.all - audits.own) },
    ],
  })
}

/**
 * Takes what epochs up to the given one earned; nothing while the key is held, and never again once it is
 * suspended.
 */
function mature(key: WorkerKey, upToEpoch: number): bigint {
  const known = { standingOf: () => standingOf(key.suspicion), isFrozen: () => false }
  const isDue = ({ epoch, msat }: { epoch: number; msat: bigint }) =>
    epoch <= upToEpoch &&
    mayMature({ worker: key.name, subnet: SUBNET, model: MODEL, requester: null, msat }, known)
  const due = key.unmatured.filter(isDue)
  key.unmatured = key.unmatured.filter((reward) => !isDue(reward))
  return sumOf(due)
}

function sumOf(rewards: readonly { msat: bigint }[]): bigint {
  return rewards.reduce((sum, { msat }) => sum + msat, 0n)
}
