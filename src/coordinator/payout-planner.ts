import { AddressError, parseAddress } from '../../anchor/address.ts'
import type { NetworkName } from '../../anchor/network.ts'
import { BLOCKS_PER_DAY } from '../../anchor/price-anchor.ts'
import type { Config } from '../config/config-schema.ts'
import { maturedAccount } from '../ledger/accounts.ts'
import type { Anchored } from '../rules/anchored.ts'
import { type PayTo, payToAt } from '../rules/pay-to.ts'
import { type PayoutCandidate, type PayoutPlan, planPayout } from '../rules/plan-payout.ts'
import type { Books } from './books.ts'
import { quarantinedAccounts } from './books.ts'
import type { Registry } from './registry.ts'

type Limits = Pick<
  Config['payout'],
  'thresholdSats' | 'payeeCapSats' | 'runCapSats' | 'dayCapSats' | 'maxPayees'
>

interface PlannerOptions {
  readonly registry: Registry
  readonly network: NetworkName
  readonly finalDepth: number
  readonly limits: Limits
}

/** Whom the next payout would pay by books, log and chain as they stand. */
export function openPayoutPlanner(
  books: Books,
  { registry, network, finalDepth, limits }: PlannerOptions,
): (anchored: Anchored, tip: number) => PayoutPlan {
  const paidSince = books.db
    .prepare<[number], bigint>('SELECT coalesce(sum(total_sats), 0) FROM payout WHERE height > ?')
    .pluck()
  const lastPaid = books.db
    .prepare<[], Uint8Array>('SELECT last_worker FROM payout ORDER BY number DESC LIMIT 1')
    .pluck()

  const heirs = books.db.prepare<[], { worker: Uint8Array; address: string }>(
    'SELECT worker, address FROM inheritance WHERE worker NOT IN (SELECT key FROM worker)',
  )

  /** Whom the log owes: its own workers, and those of the log before that have not registered here. */
  function payees(anchored: Anchored, tip: number): { worker: Uint8Array; payTo: PayTo }[] {
    const own = registry.keys().flatMap((worker) => {
      const payTo = payToAt(registry.declarations(worker), tip, { anchored, finalDepth })
      return payTo === null ? [] : [{ worker, payTo }]
    })
    const inherited = heirs.all().map(({ worker, address }) => {
      return { worker, payTo: { entry: 0, address, thresholdSats: 0n, change: null } }
    })
    return [...own, ...inherited].toSorted((a, b) => Buffer.compare(a.worker, b.worker))
  }

  function dustOf(address: string): bigint | null {
    try {
      return parseAddress(address, network).dustSats
    } catch (error) {
      if (error instanceof AddressError) return null
      throw error
    }
  }

  function candidates(anchored: Anchored, tip: number): PayoutCandidate[] {
    const quarantined = quarantinedAccounts(books)
    return inTurn(payees(anchored, tip), lastPaid.get()).map(({ worker, payTo }) => {
      const account = maturedAccount(Buffer.from(worker).toString('hex'))
      const maturedMsat = books.ledger.balance(account).availableMsat
      const { address, thresholdSats } = payTo
      const isQuarantined = quarantined.has(account)
      return { worker, address, maturedMsat, thresholdSats, dustSats: dustOf(address), isQuarantined }
    })
  }

  return (anchored, tip) => {
    const paidSats = paidSince.get(tip - BLOCKS_PER_DAY) ?? 0n
    const dayLeftSats = limits.dayCapSats > paidSats ? limits.dayCapSats - paidSats : 0n
    return planPayout(candidates(anchored, tip), { ...limits, dayLeftSats })
  }
}

/** Byte order, beginning behind the last one paid: nobody comes first each time. */
function inTurn<T extends { worker: Uint8Array }>(payees: readonly T[], last: Uint8Array | undefined): T[] {
  const at = last === undefined ? -1 : payees.findLastIndex(({ worker }) => Buffer.compare(worker, last) <= 0)
  return [...payees.slice(at + 1), ...payees.slice(0, at + 1)]
}
