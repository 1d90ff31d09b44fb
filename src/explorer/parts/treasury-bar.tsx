import type { OpenStatus } from '../../client/status-answer.ts'
import { formatMsat } from '../format.ts'
import { Sats } from './sats.tsx'

/** What the treasury's coins are spoken for, by the ledger. */
const PARTS = [
  { name: 'Reserve', color: 4, of: ['reserve'] },
  { name: 'Budgets of epochs', color: 1, of: ['budget'] },
  { name: 'Earned, maturing', color: 2, of: ['unmatured'] },
  { name: 'Matured', color: 3, of: ['matured'] },
  { name: 'Payouts under way, requesters', color: 5, of: ['payout', 'requester', 'escrow'] },
] as const

export function TreasuryBar({ balances }: Pick<OpenStatus, 'balances'>) {
  const sum = (of: readonly string[]) =>
    balances.filter(({ kind }) => of.includes(kind)).reduce((total, { msat }) => total + BigInt(msat), 0n)
  const treasury = sum(['treasury'])
  const lost = sum(['lost'])
  const parts = PARTS.map((part) => ({ ...part, msat: sum(part.of) }))
  const owed = parts.reduce((total, { msat }) => total + msat, 0n)
  if (treasury === 0n && owed === 0n) {
    return <p class="soft">The first deposit to the treasury will stand here, and what it is owed for.</p>
  }
  return (
    <>
      <p>
        <Sats msat={treasury} /> in the treasury
      </p>
      <div
        class="bar"
        role="img"
        aria-label={`Of ${formatMsat(owed)} sat: ${parts.map(({ name, msat }) => `${name} ${formatMsat(msat)}`).join(', ')}`}
      >
        {parts
          .filter(({ msat }) => msat > 0n)
          .map(({ name, color, msat }) => (
            <span key={name} class={`s${color}`} style={{ width: `${percent(msat, owed)}%` }} />
          ))}
      </div>
      <ul class="key">
        {parts.map(({ name, color, msat }) => (
          <li key={name}>
            <span class={`swatch s${color}`} aria-hidden="true" />
            <span>{name}</span>
            <span>
              <Sats msat={msat} />
            </span>
          </li>
        ))}
      </ul>
      <p class="soft small">
        Fees paid to miners: <Sats msat={sum(['fees'])} />
        {lost > 0n && (
          <>
            , lost with coins of voided payouts: <Sats msat={lost} />
          </>
        )}
        . The ledger against the chain, to the satoshi: <a href="/v1/reconciliation">reconciliation</a>.
      </p>
    </>
  )
}

function percent(part: bigint, whole: bigint): number {
  return whole === 0n ? 0 : Number((part * 10_000n) / whole) / 100
}
