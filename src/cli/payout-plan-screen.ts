import type { ReadPayoutPlan } from '../client/payouts.ts'
import { renderTable } from './table.ts'

/** Why somebody waits, by the code of src/rules/plan-payout.ts. */
const REASONS: Readonly<Record<string, string>> = {
  below_threshold: 'below the threshold, its own or the operator’s',
  below_dust: 'less than nodes relay to this form of address',
  address_unpayable: 'an address that can’t be paid: the worker changes it',
  quarantined: 'its account doesn’t add up: see `assay ledger reconcile`',
  payees_full: 'comes with the next payout: this one has all its payees',
  run_cap: 'comes with the next payout: payout.runCapSats',
  day_cap: 'waits for the day to pass: payout.dayCapSats',
}

export function renderPayoutPlan({
  payees,
  held,
  totalSats,
  quote,
  trouble,
  stopped,
  height,
}: ReadPayoutPlan): string {
  const parts = [
    `At block ${height}: ${payees.length} payees, ${totalSats} sat.`,
    ...(stopped === null ? [] : [`STOPPED: ${stopped.reason}`]),
    ...(trouble === null ? [] : [`WAITS: ${trouble}`]),
    ...(quote === null
      ? []
      : [
          `Fee ${quote.feeSats} sat for ${quote.vsize} vB, from these coins:`,
          renderTable(
            ['coin', 'sat'],
            quote.coins.map(({ txid, vout, valueSats }) => [`${txid}:${vout}`, valueSats]),
          ),
        ]),
    ...(payees.length === 0
      ? []
      : [
          renderTable(
            ['account', 'sat', 'address'],
            payees.map(({ account, sats, address }) => [account, sats, address]),
          ),
        ]),
    ...(held.length === 0
      ? []
      : [
          'Held back:',
          renderTable(
            ['account', 'sat', 'why'],
            held.map(({ account, sats, reason }) => [account, sats, REASONS[reason] ?? reason]),
          ),
        ]),
  ]
  return parts.join('\n\n')
}
