import { parseAddress } from './address.ts'
import { checkPayoutTransaction } from './check-payout-transaction.ts'
import type { NetworkName } from './network.ts'
import { parseTransaction } from './parse-transaction.ts'
import type { NewAttempt } from './payer-store.ts'
import type { PayoutAttempt, PayoutOutput, PayoutRecord } from './payout-record.ts'
import {
  buildPayoutTransaction,
  type KeyAt,
  type Payment,
  payoutPsbt,
  payoutVsize,
  type TreasuryCoin,
} from './payout-transaction.ts'

type Payout = Pick<PayoutRecord, 'inputs' | 'outputs'>
/** A payment, or a child that spends the change of `parent`. */
type Wanted = { parent: PayoutAttempt | null; feeSats: bigint }

/** The treasury's own, of `KeyAt`. */
export const CHANGE_KEY = 0

/** Makes the transactions of payouts, and checks each by another library than the one that made it. */
export interface PayoutMaker {
  paymentVsize(inputCount: number, outputs: readonly PayoutOutput[]): number
  childVsize: number
  /** Signed where the keys are at hand. Throws AddressError, PayoutBuildError, PayoutCheckError. */
  make(payout: Payout, wanted: Wanted, sinceHeight: number): NewAttempt
  /** The attempt as a PSBT, signed for the keys that are at hand. */
  psbt(payout: Payout, wanted: Wanted): Uint8Array
  /** `raw` as an attempt, with the fee that it pays. Throws PayoutCheckError where it is none with good signatures. */
  adopt(payout: Payout, parent: PayoutAttempt | null, raw: Uint8Array, sinceHeight: number): NewAttempt
  /** Throws PayoutCheckError where `raw` is not that attempt with good signatures. */
  check(payout: Payout, wanted: Wanted, raw: Uint8Array): void
}

export function createPayoutMaker(options: {
  network: NetworkName
  keyAt: KeyAt
  changeScript: Uint8Array
}): PayoutMaker {
  const { network, keyAt, changeScript } = options

  function planOf({ inputs, outputs }: Payout, { parent, feeSats }: Wanted) {
    if (parent === null) return { keyAt, inputs, outputs: paymentsOf(outputs), changeScript, feeSats }
    const { txid, changeSats: valueSats } = parent
    const change: TreasuryCoin = { txid, vout: outputs.length, valueSats, keyIndex: CHANGE_KEY }
    return { keyAt, inputs: [change], outputs: [], changeScript, feeSats }
  }

  function paymentsOf(outputs: readonly PayoutOutput[]): Payment[] {
    return outputs.map(({ address, valueSats }) => ({
      script: parseAddress(address, network).script,
      valueSats,
    }))
  }

  return {
    paymentVsize: (inputCount, outputs) =>
      payoutVsize(
        inputCount,
        paymentsOf(outputs).map(({ script }) => script),
        changeScript,
      ),
    childVsize: payoutVsize(1, [], changeScript),
    make(payout, wanted, sinceHeight) {
      const plan = planOf(payout, wanted)
      const parent = wanted.parent?.number ?? null
      const built = buildPayoutTransaction(plan)
      const { raw } = built
      const { txid, vsize, changeSats } = raw === null ? built : checkPayoutTransaction(raw, plan)
      return { parent, txid, vsize, changeSats, feeSats: plan.feeSats, sinceHeight, raw }
    },
    psbt: (payout, wanted) => payoutPsbt(planOf(payout, wanted)),
    adopt(payout, parent, raw, sinceHeight) {
      const { inputs } = planOf(payout, { parent, feeSats: 0n })
      const outputs = parseTransaction(raw)?.outs ?? []
      const feeSats = sum(inputs.map(({ valueSats }) => valueSats)) - sum(outputs.map(({ value }) => value))
      const { txid, vsize, changeSats } = checkPayoutTransaction(raw, planOf(payout, { parent, feeSats }))
      return { parent: parent?.number ?? null, txid, vsize, changeSats, feeSats, sinceHeight, raw }
    },
    check(payout, wanted, raw) {
      checkPayoutTransaction(raw, planOf(payout, wanted))
    },
  }
}

function sum(sats: readonly bigint[]): bigint {
  return sats.reduce((total, one) => total + one, 0n)
}
