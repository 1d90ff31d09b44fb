import { Fragment } from 'preact'
import type { OneWorker } from '../../api/answers.ts'
import { formatCount } from '../format.ts'
import { Badge } from './badge.tsx'
import { Hash } from './hash.tsx'
import { Sats } from './sats.tsx'

/** What each standing means to the worker (PROTOCOL §7). */
const MEANINGS = {
  good: 'Nothing stands against it.',
  held: 'Its failed audits weigh too much to be chance alone: nothing of it matures until enough others pass.',
  suspended: 'Its failed audits can’t be chance: it gets no work, and what had not matured is forfeited.',
} as const

/** How a worker stands, why, what that has cost it, and where it is paid. */
export function StandingCard({
  worker: { address, thresholdSats, standing: stands },
}: {
  worker: OneWorker
}) {
  const { standing, scoreNats, since, fails, returnHeight, forfeited } = stands
  return (
    <section class="card">
      <h2>Standing</h2>
      <dl class="facts-list">
        <dt>
          <Badge state={standing} />
        </dt>
        <dd>{MEANINGS[standing]}</dd>
        <dt>Evidence against it</dt>
        <dd>{scoreNats.toFixed(2)} nats; 8 hold its rewards, 16 suspend it</dd>
        {since !== null && (
          <>
            <dt>Said by</dt>
            <dd>
              <a href={`#/log/${since}`}>entry {formatCount(since)}</a>
            </dd>
          </>
        )}
        {fails.length > 0 && (
          <>
            <dt>Failed audits</dt>
            <dd>
              {fails.map(({ entry, receipt }, i) => (
                <span key={`${entry} ${receipt}`}>
                  {i > 0 && ', '}
                  <Hash hex={receipt} href={`#/log/${entry}`} />
                </span>
              ))}
            </dd>
          </>
        )}
        {returnHeight !== null && (
          <>
            <dt>Returns at block</dt>
            <dd>{formatCount(returnHeight)}</dd>
          </>
        )}
        {forfeited.map(({ entry, msat }) => (
          <Fragment key={entry}>
            <dt>Forfeited</dt>
            <dd>
              <Sats msat={msat} /> by <a href={`#/log/${entry}`}>entry {formatCount(entry)}</a>
            </dd>
          </Fragment>
        ))}
        <dt>Paid at</dt>
        <dd>
          <span class="mono">{address}</span>
          {thresholdSats > 0n && ` from ${formatCount(thresholdSats)} sat on`}
        </dd>
      </dl>
    </section>
  )
}
