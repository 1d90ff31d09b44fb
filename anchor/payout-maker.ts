import { parseAddress } from './address.ts'
import { checkPayoutTransaction } from './check-payout-transaction.ts'
import type { NetworkName } from './network.ts'
import type { NewAttempt } from './payer-store.ts'
import type { PayoutAttempt, PayoutOutput, PayoutRecord } from './payout-record.ts'
import {
  buildPayoutTransaction,
  type Payment,
  payoutPsbt,
  payoutVsize,
  planPayoutTransaction,
  type TreasuryCoin,
} from './payout-transaction.ts'

type Payout = Pick<PayoutRecord, 'inputs' | 'outputs'>
/** A payment, or a child that spends the change of `parent`. */
type Wanted = { parent: PayoutAttempt | null; feeSats: bigint }

/** Makes the transactions of payouts, and checks each by another library than the one that made it. */
export interface PayoutMaker {
  paymentVsize(inputCount: number, outputs: readonly PayoutOutput[]): number
  childVsize: number
  /** Signed where the key is at hand. Throws AddressError, PayoutBuildError, PayoutCheckError. */
  make(payout: Payout, wanted: Wanted, sinceHeight: number): NewAttempt
  /** The attempt as an unsigned PSBT. */
  psbt(payout: Payout, wanted: Wanted): Uint8Array
  /** Throws PayoutCheckError where `raw` is not that attempt with good signatures. */
  check(payout: Payout, wanted: Wanted, raw: Uint8Array): void
}

/** `secretKey`: null where somebody else signs. */
export function createPayoutMaker(options: {
  network: NetworkName
  internalKey: Uint8Array
  secretKey: Uint8Array | null
  changeScript: Uint8Array
}): PayoutMaker {
  const { network, internalKey, secretKey, changeScript } = options

  function planOf({ inputs, outputs }: Payout, { parent, feeSats }: Wanted) {
    if (parent === null) return { inputs, outputs: paymentsOf(outputs), changeScript, feeSats }
    const change: TreasuryCoin = { txid: parent.txid, vout: outputs.length, valueSats: parent.changeSats }
    return { inputs: [change], outputs: [], changeScript, feeSats }
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
      if (secretKey === null) {
        const { txid, vsize, changeSats } = planPayoutTransaction(plan, internalKey)
        return { parent, txid, vsize, changeSats, feeSats: plan.feeSats, sinceHeight, raw: null }
      }
      const { raw } = buildPayoutTransaction({ ...plan, secretKey })
      const { txid, vsize, changeSats } = checkPayoutTransaction(raw, { ...plan, internalKey })
      return { parent, txid, vsize, changeSats, feeSats: plan.feeSats, sinceHeight, raw }
    },
    psbt: (payout, wanted) => payoutPsbt(planOf(payout, wanted), internalKey),
    check(payout, wanted, raw) {
      checkPayoutTransaction(raw, { ...planOf(payout, wanted), internalKey })
    },
  }
}
