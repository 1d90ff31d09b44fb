import { AddressError, parseAddress } from '../../anchor/address.ts'
import type { NetworkName } from '../../anchor/network.ts'
import { BLOCKS_PER_DAY } from '../../anchor/price-anchor.ts'
import type { Config } from '../config/config-schema.ts'
import { maturedAccount } from '../ledger/accounts.ts'
import type { Anchored } from '../rules/anchored.ts'
import { MSAT_PER_SAT } from '../rules/msat-per-sat.ts'
import { payToAt } from '../rules/pay-to.ts'
import { type PayoutCandidate, type PayoutPlan, planPayout } from '../rules/plan-payout.ts'
import type { Books } from './books.ts'
import type { Owed } from './owed.ts'
import type { Registry } from './registry.ts'
import type { Withdrawals } from './withdrawals.ts'

type Limits = Pick<
  Config['payout'],
  'thresholdSats' | 'payeeCapSats' | 'runCapSats' | 'dayCapSats' | 'maxPayees'
>

interface PlannerOptions {
  readonly registry: Registry
  readonly withdrawals: Pick<Withdrawals, 'waiting'>
  readonly network: NetworkName
  readonly finalDepth: number
  readonly limits: Limits
}

/** Whom the next payout would pay by books, log and chain as they stand. */
export function openPayoutPlanner(
  books: Books,
  { registry, withdrawals, network, finalDepth, limits }: PlannerOptions,
): (anchored: Anchored, tip: number) => PayoutPlan {
  const paidSince = books.db
    .prepare<[number], bigint>(
      `SELECT coalesce(sum(msat), 0) / ${MSAT_PER_SAT} FROM paid JOIN payout USING (entry_index) WHERE height > ?`,
    )
    .pluck()
  const lastPaid = books.db
    .prepare<[], string>(
      "SELECT last_account FROM payout WHERE state <> 'voided' ORDER BY number DESC LIMIT 1",
    )
    .pluck()

  const heirs = books.db.prepare<[], { worker: Uint8Array; address: string }>(
    'SELECT worker, address FROM inheritance WHERE worker NOT IN (SELECT key FROM worker)',
  )

  /** Its own workers, and those of the log before that have not registered here. */
  function workers(anchored: Anchored, tip: number): Owed[] {
    const own = registry.keys().flatMap((worker) => {
      const payTo = payToAt(registry.declarations(worker), tip, { anchored, finalDepth })
      return payTo === null ? [] : [{ worker, payTo }]
    })
    const inherited = heirs.all().map(({ worker, address }) => {
      return { worker, payTo: { entry: 0, address, thresholdSats: 0n, change: null } }
    })
    return [...own, ...inherited].map(({ worker, payTo: { address, thresholdSats } }) => {
      const account = maturedAccount(Buffer.from(worker).toString('hex'))
      return { account, address, thresholdSats, atMostMsat: null }
    })
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
    const owed = [...workers(anchored, tip), ...withdrawals.waiting()]
    return inTurn(owed, lastPaid.get()).map(({ account, address, thresholdSats, atMostMsat }) => {
      const { availableMsat } = books.ledger.balance(account)
      const payableMsat = atMostMsat !== null && atMostMsat < availableMsat ? atMostMsat : availableMsat
      const isQuarantined = books.ledger.isQuarantined(account)
      return { account, address, payableMsat, thresholdSats, dustSats: dustOf(address), isQuarantined }
    })
  }

  return (anchored, tip) => {
    const paidSats = paidSince.get(tip - BLOCKS_PER_DAY) ?? 0n
    const dayLeftSats = limits.dayCapSats > paidSats ? limits.dayCapSats - paidSats : 0n
    return planPayout(candidates(anchored, tip), { ...limits, dayLeftSats })
  }
}

/** By account in byte order, beginning behind the last one paid: nobody comes first each time. */
function inTurn(owed: readonly Owed[], last: string | undefined): Owed[] {
  const sorted = owed.toSorted((a, b) => (a.account < b.account ? -1 : 1))
  const at = last === undefined ? -1 : sorted.findLastIndex(({ account }) => account <= last)
  return [...sorted.slice(at + 1), ...sorted.slice(0, at + 1)]
}
