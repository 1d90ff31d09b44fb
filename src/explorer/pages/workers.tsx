import { type Earning, earningsAnswer, type Worker, workerAnswer, workersAnswer } from '../../api/answers.ts'
import { formatCount, satsOf } from '../format.ts'
import { Answered } from '../parts/answered.tsx'
import { Badge } from '../parts/badge.tsx'
import { Chart, COLORS, type Series } from '../parts/chart.tsx'
import { Hash } from '../parts/hash.tsx'
import { Pages } from '../parts/pages.tsx'
import { Sats } from '../parts/sats.tsx'
import { StandingCard } from '../parts/standing.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { useAnswer } from '../use-answer.ts'

const COLUMNS: readonly Column<Worker>[] = [
  { head: 'Worker', cell: ({ worker }) => <Hash hex={worker} href={`#/workers/${worker}`} /> },
  { head: 'Standing', cell: ({ standing }) => <Badge state={standing} /> },
  { head: 'Receipts', align: 'right', wide: true, cell: ({ receipts }) => formatCount(receipts) },
  {
    head: 'Passed, failed, void',
    align: 'right',
    wide: true,
    cell: ({ passed, failed, void: voided }) =>
      `${formatCount(passed)}, ${formatCount(failed)}, ${formatCount(voided)}`,
  },
  { head: 'Audits done', align: 'right', wide: true, cell: ({ auditsDone }) => formatCount(auditsDone) },
  {
    head: 'Maturing',
    align: 'right',
    wide: true,
    cell: ({ unmaturedMsat }) => <Sats msat={unmaturedMsat} />,
  },
  { head: 'Matured', align: 'right', wide: true, cell: ({ maturedMsat }) => <Sats msat={maturedMsat} /> },
  { head: 'Paid', align: 'right', cell: ({ paidMsat }) => <Sats msat={paidMsat} /> },
  {
    head: 'Forfeited',
    align: 'right',
    wide: true,
    cell: ({ forfeitedMsat }) => <Sats msat={forfeitedMsat} />,
  },
  { head: 'Pays to', wide: true, cell: ({ address }) => <Hash hex={address} /> },
]

/** PROTOCOL §6. */
const WORKERS_PER_PAGE = 50

/** All of them, or one by its key. */
export function Workers({ rest }: { rest: string }) {
  return rest === '' ? <AllWorkers /> : <OneWorker worker={rest} />
}

function AllWorkers() {
  return (
    <>
      <div class="head">
        <h1>Workers</h1>
        <p class="soft">
          Whoever registered a key and an address. Rewards wait, at stake, until their epoch matures; then
          they are paid on chain.
        </p>
      </div>
      <Pages
        path="/v1/workers"
        schema={workersAnswer}
        next={(rows) => (rows.length < WORKERS_PER_PAGE ? null : `?after=${rows.at(-1)?.entry}`)}
        empty="The first worker to register will stand here."
      >
        {(rows) => (
          <Table
            caption="Workers by registration"
            columns={COLUMNS}
            rows={rows}
            keyOf={({ worker }) => worker}
          />
        )}
      </Pages>
    </>
  )
}

const EARNING_COLUMNS: readonly Column<Earning>[] = [
  { head: 'Epoch', cell: ({ epoch }) => epoch },
  { head: 'For', cell: ({ subnet }) => (subnet === '(audit)' ? 'audits' : `work in ${subnet}`) },
  { head: 'Earned', align: 'right', cell: ({ msat }) => <Sats msat={msat} /> },
]

function OneWorker({ worker }: { worker: string }) {
  const path = `/v1/workers/${/^[0-9a-f]{64}$/.test(worker) ? worker : 'unknown'}`
  const known = useAnswer(path, workerAnswer)
  return (
    <>
      <div class="head">
        <h1>One worker</h1>
        <p class="mono">{worker}</p>
        <p>
          <a href="#/workers">All workers</a>
        </p>
      </div>
      <Answered answer={known}>
        {(value) => (
          <>
            <StandingCard worker={value} />
            <Earnings path={`${path}/earnings`} />
          </>
        )}
      </Answered>
    </>
  )
}

function Earnings({ path }: { path: string }) {
  const earnings = useAnswer(path, earningsAnswer)
  return (
    <Answered answer={earnings}>
      {(rows) =>
        rows.length === 0 ? (
          <p class="empty">What it earns will stand here when the first epoch with its work is settled.</p>
        ) : (
          <>
            <section class="card">
              <h2>Earned in each epoch</h2>
              <EarnedChart rows={rows} />
            </section>
            <Table
              caption="Earnings, newest epoch first"
              columns={EARNING_COLUMNS}
              rows={rows}
              keyOf={({ epoch, subnet }) => `${epoch} ${subnet}`}
            />
          </>
        )
      }
    </Answered>
  )
}

/** One colour for each of the first subnets, the last for all others together. */
function EarnedChart({ rows }: { rows: readonly Earning[] }) {
  const epochs = [...new Set(rows.map(({ epoch }) => epoch))].sort((a, b) => a - b)
  const names = [...new Set(rows.map(({ subnet }) => subnet))].sort()
  const groups = COLORS.flatMap((color, i) => {
    const members = i < COLORS.length - 1 ? names.slice(i, i + 1) : names.slice(i)
    return members.length === 0 ? [] : [{ color, members }]
  })
  const series: Series[] = groups.map(({ color, members }) => ({
    label: members.length === 1 ? String(members[0]).replace('(audit)', 'audits') : 'others',
    color,
    values: epochs.map((epoch) => {
      const own = rows.filter((row) => row.epoch === epoch && members.includes(row.subnet))
      return satsOf(own.reduce((sum, { msat }) => sum + msat, 0n))
    }),
  }))
  return (
    <Chart
      label={`Satoshis earned in ${epochs.length} epochs, by what they were earned for.`}
      kind="bars"
      x={epochs}
      xLabel="epoch"
      unit="sat"
      series={series}
    />
  )
}
