import { infoAnswer, type ReceiptRow, receiptsAnswer } from '../../api/answers.ts'
import { formatCount } from '../format.ts'
import { FROM_THE_NEWEST } from '../from-the-newest.ts'
import { Badge } from '../parts/badge.tsx'
import { Hash } from '../parts/hash.tsx'
import { Pages } from '../parts/pages.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { useAnswer } from '../use-answer.ts'

/** PROTOCOL §6. */
const RECEIPTS_PER_PAGE = 100

const COLUMNS: readonly Column<ReceiptRow>[] = [
  { head: 'Receipt', cell: ({ receipt }) => <Hash hex={receipt} /> },
  { head: 'Audit', cell: ({ sampled, verdict }) => <Audit sampled={sampled} verdict={verdict} /> },
  { head: 'Worker', wide: true, cell: ({ worker }) => <Hash hex={worker} href={`#/workers/${worker}`} /> },
  { head: 'Subnet', wide: true, cell: ({ subnet }) => subnet },
  { head: 'Units', align: 'right', wide: true, cell: ({ units }) => formatCount(units) },
  {
    head: 'Entry',
    align: 'right',
    wide: true,
    cell: ({ entry }) => <a href={`#/log/${entry}`}>{formatCount(entry)}</a>,
  },
]

/** An OpenTimestamps file can be had where anchors are made by `dual`. */
const proofColumn = (isDual: boolean): Column<ReceiptRow> => ({
  head: 'Proof',
  cell: ({ receipt }) => (
    <span class="links">
      <a
        href={`/v1/receipts/${receipt}/proof`}
        aria-label={`Download the proof file of receipt ${receipt.slice(0, 8)}`}
      >
        file
      </a>
      {' · '}
      {isDual && (
        <>
          <a
            href={`/v1/receipts/${receipt}/ots`}
            aria-label={`Download the .ots file of receipt ${receipt.slice(0, 8)}`}
          >
            .ots
          </a>
          {' · '}
        </>
      )}
      <a href={`/verify#receipt=${receipt}`} aria-label={`Check the proof of receipt ${receipt.slice(0, 8)}`}>
        check
      </a>
    </span>
  ),
})

function Audit({ sampled, verdict }: Pick<ReceiptRow, 'sampled' | 'verdict'>) {
  if (verdict !== null) return <Badge state={verdict} />
  if (sampled === null) return <span class="soft">not drawn yet</span>
  return <span class="soft">{sampled ? 'under way' : 'not sampled'}</span>
}

export function Receipts() {
  const isDual = useAnswer('/v1/info', infoAnswer).value?.method === 'dual'
  return (
    <>
      <div class="head">
        <h1>Receipts</h1>
        <p class="soft">
          One for each result that a worker signed for. Its proof is a file that leads to a Bitcoin block
          header; it can be had once the receipt’s anchor is mined.
        </p>
      </div>
      <Pages
        path="/v1/receipts"
        first={FROM_THE_NEWEST}
        schema={receiptsAnswer}
        next={(rows) => {
          const last = rows.at(-1)
          return last === undefined || rows.length < RECEIPTS_PER_PAGE
            ? null
            : `?before=${last.entry}.${last.position}`
        }}
        empty="The first receipts will stand here when a worker hands in its results."
      >
        {(rows) => (
          <Table
            caption="Receipts, newest first"
            columns={[...COLUMNS, proofColumn(isDual)]}
            rows={rows}
            keyOf={({ receipt }) => receipt}
          />
        )}
      </Pages>
    </>
  )
}
