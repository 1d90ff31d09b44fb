import { hash } from 'node:crypto'
import { openExpectedReward } from '../rules/expected-reward.ts'
import type { Ratio } from '../rules/sampling.ts'

/** What is asked of a simulation; all else is fixed below. */
export interface Setting {
  /** Least share of receipts that is audited. */
  floor: Ratio
  /** Epochs between the settlement of a reward and its maturity: the worker's stake. */
  maturityEpochs: number
  /** What honest work costs, of its reward: 0 to 1. */
  costShare: number
  seed: string
  /** Lives that each strategy is played; the result is their mean. */
  runs: number
}

/** A worker's honest epoch. */
export const RECEIPTS_PER_EPOCH = 1_000

/** Played for so many epochs; then everybody waits for what is still to mature. */
export const EPOCHS = 24

/** Honest workers beside the one that is played. */
export const OTHERS = 9n

export const AUDIT_SHARE_BASIS_POINTS = 500

/** A subnet that pays in an epoch 1,000 msat for each receipt, and the auditors' part beside it, if all of its offer is answered. */
export const BUDGET_MSAT = 10_526_316n
export const SUBNET = 'simulated'
export const MODEL = 'all'

/** For one receipt, by the product's rule: all of them are alike, and as many are offered as all workers answer. */
export const REWARD_MSAT = openExpectedReward(
  {
    subnetsAt: () => [
      {
        name: SUBNET,
        weight: 1,
        privacy: 'public',
        operatorBasisPoints: 0,
        models: [{ unitsPerItem: 1 }],
        dataset: { perEpoch: (Number(OTHERS) + 1) * RECEIPTS_PER_EPOCH },
      },
    ],
  },
  { booked: () => BUDGET_MSAT },
  { at: () => 0n },
  AUDIT_SHARE_BASIS_POINTS,
)({ subnet: SUBNET, item: 0n, epoch: 0n, units: 1n })

/** How often the audit of honest work fails, and as what it is calibrated. */
export const FALSE_FAIL_RATE = 0.003
export const P0: Ratio = { numerator: 3n, denominator: 1_000n }

/** Strangers from whom Bitcoin draws. */
export const AUDITORS: readonly Uint8Array[] = Array.from({ length: 12 }, (_, at) => named(`auditor ${at}`))

/** 32 bytes that stand for a key, a block hash or a submission. */
export function named(...parts: (string | number)[]): Uint8Array {
  return hash('sha256', parts.join('/'), 'buffer')
}
