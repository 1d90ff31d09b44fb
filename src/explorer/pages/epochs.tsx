import { type Epoch, epochsAnswer } from '../../api/answers.ts'
import { formatCount } from '../format.ts'
import { Badge } from '../parts/badge.tsx'
import { beforeLast } from '../parts/before-last.ts'
import { EarningsChart } from '../parts/epoch-chart.tsx'
import { Pages } from '../parts/pages.tsx'
import { Sats } from '../parts/sats.tsx'
import { type Column, Table } from '../parts/table.tsx'

const amount = (msat: bigint | null) => (msat === null ? '–' : <Sats msat={msat} />)

const COLUMNS: readonly Column<Epoch>[] = [
  { head: 'Epoch', align: 'right', cell: ({ number }) => number },
  { head: 'State', cell: ({ state }) => <Badge state={state} /> },
  {
    head: 'Blocks',
    align: 'right',
    wide: true,
    cell: ({ firstHeight, lastHeight }) => `${formatCount(firstHeight)}–${formatCount(lastHeight)}`,
  },
  { head: 'Budget', align: 'right', cell: ({ budgetMsat }) => amount(budgetMsat) },
  { head: 'Work', align: 'right', wide: true, cell: ({ computeMsat }) => amount(computeMsat) },
  { head: 'Audits', align: 'right', wide: true, cell: ({ auditMsat }) => amount(auditMsat) },
  { head: 'Returned', align: 'right', wide: true, cell: ({ returnedMsat }) => amount(returnedMsat) },
  { head: 'Earners', align: 'right', wide: true, cell: ({ earners }) => earners },
  {
    head: 'Settles at',
    align: 'right',
    wide: true,
    cell: ({ settlementHeight }) => formatCount(settlementHeight),
  },
  {
    head: 'Matures at',
    align: 'right',
    wide: true,
    cell: ({ maturityHeight }) => formatCount(maturityHeight),
  },
  {
    head: 'Entry',
    align: 'right',
    wide: true,
    cell: ({ settledEntry }) =>
      settledEntry === null ? '–' : <a href={`#/log/${settledEntry}`}>{formatCount(settledEntry)}</a>,
  },
]

export function Epochs() {
  return (
    <>
      <div class="head">
        <h1>Epochs</h1>
        <p class="soft">
          A range of blocks with a budget. Work counts in the epoch whose blocks first anchored it; once every
          verdict is final it is settled, and later it matures. No clock but Bitcoin’s decides.
        </p>
      </div>
      <Pages
        path="/v1/epochs"
        schema={epochsAnswer}
        next={(rows) => beforeLast(rows.at(-1)?.number)}
        empty="The first epoch will stand here when its budget is fixed."
      >
        {(rows) => (
          <>
            {rows.some(({ computeMsat }) => computeMsat !== null) && (
              <section class="card">
                <h2>What became of each budget</h2>
                <EarningsChart epochs={rows} />
              </section>
            )}
            <Table
              caption="Epochs, newest first"
              columns={COLUMNS}
              rows={rows}
              keyOf={({ number }) => number}
            />
          </>
        )}
      </Pages>
    </>
  )
}
