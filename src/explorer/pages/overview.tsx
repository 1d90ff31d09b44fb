import { type Anchor, anchorsAnswer, type Epoch, epochsAnswer } from '../../api/answers.ts'
import { type OpenStatus, type ReadStatus, statusAnswer } from '../../client/status-answer.ts'
import { formatCount, formatTime, plural } from '../format.ts'
import { Alarms } from '../parts/alarms.tsx'
import { Answered } from '../parts/answered.tsx'
import { Chart } from '../parts/chart.tsx'
import { EarningsChart } from '../parts/epoch-chart.tsx'
import { Sats } from '../parts/sats.tsx'
import { SealChain } from '../parts/seal-chain.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { TreasuryBar } from '../parts/treasury-bar.tsx'
import { useAnswer } from '../use-answer.ts'

export function Overview() {
  const status = useAnswer('/v1/status', statusAnswer)
  return <Answered answer={status}>{(value) => <Shown status={value} />}</Answered>
}

function Shown({ status }: { status: ReadStatus }) {
  const { network, origin, height, open, log } = status
  return (
    <>
      <div class="head">
        <h1>{origin}</h1>
        <p class="facts">
          <span>
            Bitcoin <strong>{network}</strong>
          </span>
          <span>
            block <strong>{height === null ? '…' : formatCount(height)}</strong>
          </span>
          {open?.epoch != null && (
            <span>
              epoch <strong>{open.epoch}</strong>
            </span>
          )}
          <span>
            <strong>{formatCount(log.size)}</strong> entries
          </span>
        </p>
      </div>
      <Alarms status={status} />
      {open === null ? <Waiting status={status} /> : <Running open={open} />}
      {status.witnesses.length > 0 && <Witnesses status={status} />}
    </>
  )
}

const WITNESS_COLUMNS: readonly Column<ReadStatus['witnesses'][number]>[] = [
  { head: 'Witness', cell: ({ witness }) => witness },
  {
    head: 'Cosigned up to',
    align: 'right',
    cell: ({ size }) => (size === null ? 'nothing yet' : formatCount(size)),
  },
  { head: 'When', wide: true, cell: ({ timeUnix }) => (timeUnix === null ? '–' : formatTime(timeUnix)) },
  { head: 'Trouble', cell: ({ error }) => (error === null ? 'none' : `${error.code}: ${error.detail}`) },
]

function Witnesses({ status: { witnesses } }: { status: ReadStatus }) {
  return (
    <section>
      <h2>Witnesses</h2>
      <Table
        caption="Witnesses that cosign the log"
        columns={WITNESS_COLUMNS}
        rows={witnesses}
        keyOf={({ witness }) => witness}
      />
    </section>
  )
}

function Waiting({ status }: { status: ReadStatus }) {
  return (
    <section class="card">
      <h2>The log is not open yet</h2>
      <p>
        It opens with its first seal: fee money for anchors, sent to{' '}
        <span class="mono">{status.anchorAddress}</span> and confirmed. Rewards are paid from{' '}
        <span class="mono">{status.treasuryAddress}</span>.
      </p>
    </section>
  )
}

function Running({ open }: { open: OpenStatus }) {
  const anchors = useAnswer('/v1/anchors/list', anchorsAnswer)
  const epochs = useAnswer('/v1/epochs', epochsAnswer)
  return (
    <>
      <Figures open={open} />
      <section class="card">
        <h2>The chain of seals</h2>
        <Answered answer={anchors}>{(newest) => <SealChain anchors={newest} />}</Answered>
      </section>
      <div class="columns">
        <section class="card">
          <h2>Earned in each epoch</h2>
          <Answered answer={epochs}>{(newest) => <Earned epochs={newest} />}</Answered>
        </section>
        <section class="card">
          <h2>The log in Bitcoin</h2>
          <Answered answer={anchors}>{(newest) => <Growth anchors={newest} />}</Answered>
        </section>
        <section class="card">
          <h2>Treasury against liabilities</h2>
          <TreasuryBar balances={open.balances} />
        </section>
        <WorkNow open={open} />
      </div>
    </>
  )
}

function Figures({ open }: { open: OpenStatus }) {
  const sumOf = (kind: string) => BigInt(open.balances.find((one) => one.kind === kind)?.msat ?? 0)
  const payouts = open.payouts.filter(({ state }) => state !== 'voided')
  const paid = open.payouts.reduce((sum, { paidSats }) => sum + BigInt(paidSats), 0n)
  return (
    <dl class="figures">
      <div>
        <dt>Receipts</dt>
        <dd>
          {formatCount(open.work.receipts)}
          <small>{formatCount(open.audits.sampled)} drawn for audit</small>
        </dd>
      </div>
      <div>
        <dt>Paid on chain</dt>
        <dd>
          <Sats msat={paid * 1_000n} />
          <small>{plural(payouts.length, 'payout')}</small>
        </dd>
      </div>
      <div>
        <dt>Maturing</dt>
        <dd>
          <Sats msat={sumOf('unmatured')} />
          <small>earned, at stake until it matures</small>
        </dd>
      </div>
      <div>
        <dt>Ready to be paid</dt>
        <dd>
          <Sats msat={sumOf('matured')} />
          <small>waits for the payout threshold</small>
        </dd>
      </div>
      <div>
        <dt>Runway of anchors</dt>
        <dd>
          {open.runwayBlocks === null ? '–' : formatCount(open.runwayBlocks)} <span class="unit">blocks</span>
          <small>at the latest fee</small>
        </dd>
      </div>
    </dl>
  )
}

function Earned({ epochs }: { epochs: readonly Epoch[] }) {
  if (!epochs.some(({ computeMsat }) => computeMsat !== null)) {
    return (
      <p class="soft">
        The first epoch to be settled will stand here: what it paid for work, and for audits.
      </p>
    )
  }
  return <EarningsChart epochs={epochs} />
}

function Growth({ anchors }: { anchors: readonly Anchor[] }) {
  const mined = anchors.filter(({ height }) => height !== null).reverse()
  if (mined.length < 2) return <p class="soft">The first two anchors will draw the log’s growth here.</p>
  return (
    <Chart
      label={`Entries of the log that each block's anchor commits to, up to ${formatCount(mined.at(-1)?.size ?? 0)}.`}
      kind="steps"
      x={mined.map(({ height }) => height ?? 0)}
      xLabel="block"
      unit="entries"
      series={[{ label: 'entries committed', color: 2, values: mined.map(({ size }) => size) }]}
    />
  )
}

function WorkNow({ open: { work, audits } }: { open: OpenStatus }) {
  const rows = [
    ['Requests waiting', work.requestsOpen],
    ['Jobs with workers', work.jobsLeased],
    ['Answers not yet submitted', work.jobsAnswered],
    ['Dataset items assigned now', work.itemsAssigned],
    ['Dataset items done', work.itemsDone],
    ['Audits under way', audits.rounds],
    ['Audits passed', audits.passed],
    ['Audits failed', audits.failed],
    ['Audits void', audits.void],
  ] as const
  return (
    <section class="card">
      <h2>Work now</h2>
      <ul class="key plain">
        {rows.map(([name, value]) => (
          <li key={name}>
            <span>{name}</span>
            <span>{formatCount(value)}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
