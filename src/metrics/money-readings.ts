import type { Coordinator, OpenHouse } from '../coordinator/coordinator.ts'
import { epochNow } from '../coordinator/epoch-now.ts'
import { subnetPrices } from '../coordinator/subnet-prices.ts'
import { payoutAccount } from '../ledger/accounts.ts'
import { prepareBalancesByKind } from '../ledger/balances-by-kind.ts'
import { type Reading, reading, readingBy } from './reading.ts'

const PAYOUT_STATES = ['logged', 'pinned', 'prepared', 'broadcast', 'confirmed', 'settled', 'voided'] as const

/** Epochs, budgets, balances and payouts. Whether they agree with the chain is asked by `assay ledger reconcile`, never here. */
export function createMoneyReadings(coordinator: Coordinator): () => Reading[] {
  const { db } = coordinator.books
  const balances = prepareBalancesByKind(db)
  const quarantined = db
    .prepare<[], bigint>('SELECT count(*) FROM ledger_account WHERE quarantined = 1')
    .pluck()
  const forfeited = db.prepare<[], bigint>('SELECT coalesce(sum(forfeited_msat), 0) FROM suspension').pluck()
  const payouts = db.prepare<[], PayoutRow>('SELECT number, state FROM payout')
  const lastSettled = db.prepare<[], bigint | null>('SELECT max(number) FROM epoch WHERE settled = 1').pluck()

  return () => {
    const house = coordinator.house()
    const epoch = house && epochNow(coordinator, house.genesis)
    const nextEpoch = epoch === null ? 0 : epoch + 1
    return [
      reading('assay_epoch', 'Epoch of the next block.', epoch),
      reading('assay_epoch_last_settled', 'The last epoch that is settled.', lastSettled.get() ?? null),
      readingBy(
        'assay_budget_millisatoshis',
        'Budget as booked.',
        'epoch',
        house === null
          ? []
          : [
              ['current', epoch === null ? 0n : house.desks.budgets.booked(epoch)],
              ['next', house.desks.budgets.booked(nextEpoch)],
            ],
      ),
      ...priceReadings(house, epoch),
      readingBy('assay_ledger_millisatoshis', 'Balances by kind of account.', 'kind', balances()),
      reading(
        'assay_ledger_accounts_quarantined',
        'Accounts whose balance was found not to be the sum of their transfers.',
        quarantined.get() ?? 0n,
      ),
      reading(
        'assay_forfeited_millisatoshis',
        'Unmatured rewards that suspended workers have lost.',
        forfeited.get() ?? 0n,
      ),
      ...payoutReadings(house, payouts.all()),
    ]
  }
}

function priceReadings(house: OpenHouse | null, epoch: number | null): Reading[] {
  const prices = house === null ? [] : subnetPrices(house.desks, epoch)
  const by = (key: 'priceMsat' | 'nextPriceMsat') =>
    prices.flatMap(({ definition: { name }, [key]: msat }) => (msat === null ? [] : [[name, msat] as const]))
  return [
    readingBy('assay_price_millisatoshis', 'Price of 10^15 units; 0 is free.', 'subnet', by('priceMsat')),
    readingBy(
      'assay_price_next_millisatoshis',
      'What is quoted for the epoch after.',
      'subnet',
      by('nextPriceMsat'),
    ),
  ]
}

interface PayoutRow {
  number: bigint
  state: string
}

function payoutReadings(house: OpenHouse | null, payouts: readonly PayoutRow[]): Reading[] {
  const payments = new Map(house?.payer.payouts().map((payment) => [payment.id, payment]))
  const counts = new Map<string, number>(PAYOUT_STATES.map((state) => [state, 0]))
  for (const { number, state } of payouts) {
    const now = (state === 'logged' ? payments.get(payoutAccount(Number(number)))?.state : undefined) ?? state
    counts.set(now, (counts.get(now) ?? 0) + 1)
  }
  const stuck = [...payments.values()].filter(({ state, trouble }) => state !== 'settled' && trouble !== null)
  return [
    readingBy('assay_payouts', 'Payouts by where they stand.', 'state', counts),
    reading(
      'assay_payouts_stopped',
      '1 while the kill switch is on.',
      house === null ? null : Number(house.payer.stopped() !== null),
    ),
    reading('assay_payouts_troubled', "Payouts that don't go forward.", stuck.length),
  ]
}
