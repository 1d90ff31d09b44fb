import { useEffect, useState } from 'preact/hooks'
import { formatCount } from '../format.ts'
import { type MeasuredEnergy, measureEnergy } from '../measured-energy.ts'
import { Chart, COLORS } from './chart.tsx'
import { type Column, Table } from './table.tsx'

const UNITS = 1e9
const threeDigits = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 })

const COLUMNS: readonly Column<MeasuredEnergy>[] = [
  { head: 'Subnet', cell: ({ subnet }) => subnet },
  { head: 'Method', cell: ({ method }) => method },
  { head: 'Receipts', align: 'right', wide: true, cell: ({ receipts }) => formatCount(receipts) },
  {
    head: 'Joules for 10⁹ units',
    align: 'right',
    cell: ({ points }) => (points.length === 0 ? 'not known' : threeDigits.format(perUnits(points))),
  },
]

function perUnits(points: MeasuredEnergy['points']): number {
  const sum = (key: 'joules' | 'units') => points.reduce((total, point) => total + point[key], 0)
  return (sum('joules') / sum('units')) * UNITS
}

/** Joules for a unit of work, by method, as the newest receipts tell it. */
export function Energy() {
  const [measured, setMeasured] = useState<readonly MeasuredEnergy[] | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  useEffect(() => {
    measureEnergy().then(setMeasured, (error: Error) => setProblem(error.message))
  }, [])
  const drawn = (measured ?? []).filter(({ points }) => points.length > 1).slice(0, COLORS.length)
  return (
    <section class="card">
      <h2>Energy for a unit of work</h2>
      <p class="soft">
        As workers tell it of their newest receipts, with how they measured. It is shown and never paid, and
        unknown is not zero.
      </p>
      {problem !== null && <p>It can’t be read: {problem}</p>}
      {measured?.length === 0 && <p class="soft">The first receipts will say what their work took.</p>}
      {drawn.map(({ subnet, method, points }, i) => (
        <Chart
          key={`${subnet} ${method}`}
          label={`Joules for a billion units of work in ${subnet} by ${method}, over the log's entries.`}
          kind="steps"
          x={points.map(({ entry }) => entry)}
          xLabel="entry"
          unit="J for 10⁹ units"
          series={[
            {
              label: `${subnet}, ${method}`,
              color: COLORS[i] ?? 5,
              values: points.map((point) => perUnits([point])),
            },
          ]}
        />
      ))}
      {measured !== null && measured.length > 0 && (
        <Table
          caption="Energy by subnet and method"
          columns={COLUMNS}
          rows={measured}
          keyOf={({ subnet, method, points }) => `${subnet} ${method} ${points.length === 0}`}
        />
      )}
    </section>
  )
}
