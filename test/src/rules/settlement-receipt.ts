import type { ReceiptOutcome, SettlementReceipt } from '../../../src/rules/settle-epoch.ts'

const WHOLE = { numerator: 1n, denominator: 1n }

/** Its objective takes nothing off. */
export function receipt(
  id: string,
  worker: string,
  rewardMsat: bigint,
  outcome: ReceiptOutcome = 'pass',
): SettlementReceipt {
  return { receipt: id, worker, model: 'm', outcome, rewardMsat, share: WHOLE }
}
