import type { Epoch } from '../../api/answers.ts'
import { satsOf } from '../format.ts'
import { Chart } from './chart.tsx'

/** What each settled epoch paid, and what of its budget went back. */
export function EarningsChart({ epochs }: { epochs: readonly Epoch[] }) {
  const settled = epochs.filter(({ computeMsat }) => computeMsat !== null).reverse()
  return (
    <Chart
      label={`Satoshis of ${settled.length} settled epochs: earned by work, earned by audits, returned to the reserve.`}
      kind="bars"
      x={settled.map(({ number }) => number)}
      xLabel="epoch"
      unit="sat"
      series={[
        { label: 'work', color: 1, values: settled.map(({ computeMsat }) => satsOf(computeMsat)) },
        { label: 'audits', color: 2, values: settled.map(({ auditMsat }) => satsOf(auditMsat)) },
        { label: 'returned', color: 5, values: settled.map(({ returnedMsat }) => satsOf(returnedMsat)) },
      ]}
    />
  )
}
