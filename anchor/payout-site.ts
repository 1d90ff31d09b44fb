import type { Node } from './node.ts'
import type { PayerPolicy } from './payer-policy.ts'
import type { PayerStore } from './payer-store.ts'
import type { PayoutMaker } from './payout-maker.ts'
import type { PayoutAttempt } from './payout-record.ts'
import type { SendOutcome } from './send-outcome.ts'
import type { SpendSearch } from './spend-search.ts'

/** What advancing a payout works with. */
export interface PayoutSite {
  node: Node
  store: PayerStore
  maker: PayoutMaker
  search: SpendSearch
  policy: PayerPolicy
  /** False: what is out is followed, and nothing is signed or sent. */
  maySend: () => boolean
}

/** As the store keeps it. */
export function standing(payment: PayoutAttempt, child: PayoutAttempt | null) {
  return { payment: payment.number, child: child?.number ?? null }
}

export function troubleOf(outcome: Exclude<SendOutcome, { kind: 'accepted' }>): string {
  switch (outcome.kind) {
    case 'known':
      return 'the node knows it, but shows it neither in the mempool nor in a block'
    case 'spent':
      return `an input is missing or spent: ${outcome.detail}`
    case 'refused':
      return `refused by the node: ${outcome.detail}`
    case 'unknown':
      return `no answer to the broadcast: ${outcome.detail}`
  }
}
