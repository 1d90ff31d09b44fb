import { type Anchor, anchorsAnswer } from '../../api/answers.ts'
import { formatCount, formatTime } from '../format.ts'
import { Badge } from '../parts/badge.tsx'
import { beforeLast } from '../parts/before-last.ts'
import { Hash } from '../parts/hash.tsx'
import { Pages } from '../parts/pages.tsx'
import { type Column, Table } from '../parts/table.tsx'

const COLUMNS: readonly Column<Anchor>[] = [
  { head: 'Anchor', align: 'right', cell: ({ index }) => index },
  { head: 'State', cell: ({ state }) => <Badge state={state} /> },
  { head: 'Block', align: 'right', cell: ({ height }) => (height === null ? '–' : formatCount(height)) },
  {
    head: 'Mined',
    wide: true,
    cell: ({ blockTimeUnix }) => (blockTimeUnix === null ? 'not yet' : formatTime(blockTimeUnix)),
  },
  {
    head: 'New entries',
    align: 'right',
    wide: true,
    cell: ({ firstEntry, size }) =>
      size > firstEntry ? (
        <a href={`#/log/${size - 1}`}>
          {size - firstEntry === 1 ? size - 1 : `${formatCount(firstEntry)}–${formatCount(size - 1)}`}
        </a>
      ) : (
        'none'
      ),
  },
  {
    head: 'Size',
    align: 'right',
    wide: true,
    cell: ({ vsize }) => (
      <>
        {vsize} <span class="unit">vB</span>
      </>
    ),
  },
  {
    head: 'Fee',
    align: 'right',
    wide: true,
    cell: ({ feeSats }) => (
      <>
        {formatCount(feeSats)} <span class="unit">sat</span>
      </>
    ),
  },
  {
    head: 'Rate',
    align: 'right',
    wide: true,
    cell: ({ feeSats, vsize }) => (
      <>
        {(Number(feeSats) / vsize).toFixed(2)} <span class="unit">sat/vB</span>
      </>
    ),
  },
  { head: 'Transaction', wide: true, cell: ({ txid }) => (txid === null ? '–' : <Hash hex={txid} />) },
]

export function Anchors() {
  return (
    <>
      <div class="head">
        <h1>Anchors</h1>
        <p class="soft">
          Each is a Bitcoin transaction that commits to the log’s head and spends the output of the one
          before. An output is spent once, so the log has one history.
        </p>
      </div>
      <Pages
        path="/v1/anchors/list"
        schema={anchorsAnswer}
        next={(rows) => beforeLast(rows.at(-1)?.index)}
        empty="The first anchor will stand here: its transaction, its block, what it cost, and the entries that it fixed."
      >
        {(rows) => (
          <Table caption="Anchors, newest first" columns={COLUMNS} rows={rows} keyOf={({ index }) => index} />
        )}
      </Pages>
    </>
  )
}
