import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

/** The theme's, by their numbers. */
export const COLORS = [1, 2, 3, 4, 5] as const

export interface Series {
  readonly label: string
  readonly values: readonly number[]
  readonly color: (typeof COLORS)[number]
}

interface ChartProps {
  /** Says in a sentence what is drawn: it is what those who don't see it get. */
  readonly label: string
  readonly x: readonly number[]
  readonly xLabel: string
  /** Bars stand on one another. */
  readonly kind: 'bars' | 'steps'
  readonly series: readonly Series[]
  readonly unit: string
}

const HEIGHT_PX = 220
/** Room for `100K`, and for a line of digits. */
const Y_AXIS_PX = 46
const X_AXIS_PX = 28
const LABEL_PX = 18
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 })

export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const key = JSON.stringify([props.x, props.series])
  useEffect(() => {
    const { current } = box
    if (current === null) return
    let plot = draw(current, props)
    const redraw = () => {
      plot.destroy()
      plot = draw(current, props)
    }
    const resized = new ResizeObserver(([entry]) => {
      if (entry !== undefined) plot.setSize({ width: entry.contentRect.width, height: HEIGHT_PX })
    })
    resized.observe(current)
    const theme = matchMedia('(prefers-color-scheme: dark)')
    theme.addEventListener('change', redraw)
    return () => {
      theme.removeEventListener('change', redraw)
      resized.disconnect()
      plot.destroy()
    }
  }, [key])
  return (
    <figure>
      <figcaption class="hidden">{props.label}</figcaption>
      <div class="legend">
        {props.series.map(({ label, color }) => (
          <span key={label}>
            <span class={`swatch s${color}`} aria-hidden="true" />
            {label}
          </span>
        ))}
      </div>
      <div class="plot" ref={box} role="img" aria-label={props.label} />
    </figure>
  )
}

function draw(box: HTMLElement, { x, xLabel, kind, series, unit }: ChartProps): uPlot {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string) => style.getPropertyValue(name).trim()
  const axis = {
    stroke: color('--soft'),
    font: '12px system-ui, sans-serif',
    labelFont: '12px system-ui, sans-serif',
  }
  const grid = { stroke: color('--rule'), width: 1 }
  const { bars, stepped } = uPlot.paths
  const paths = kind === 'bars' ? bars?.({ size: [0.6, 48] }) : stepped?.({ align: 1 })
  // The whole stack is drawn first, so that each part stands before what it is added to.
  const drawn = kind === 'bars' ? stacked(series).reverse() : series
  return new uPlot(
    {
      width: box.clientWidth,
      height: HEIGHT_PX,
      cursor: { show: false },
      legend: { show: false },
      scales: {
        x: {
          time: false,
          range: (_, min, max) => (kind === 'bars' ? [min - 0.6, max + 0.6] : [min, Math.max(max, min + 1)]),
        },
        y: { range: (_, _min, max) => [0, max > 0 ? max * 1.08 : 1] },
      },
      axes: [
        {
          ...axis,
          label: xLabel,
          labelSize: LABEL_PX,
          size: X_AXIS_PX,
          grid: { show: false },
          ticks: { ...grid, size: 4 },
          incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000],
        },
        {
          ...axis,
          label: unit,
          labelSize: LABEL_PX,
          grid,
          ticks: { show: false },
          size: Y_AXIS_PX,
          values: (_, splits) => splits.map((value) => compact.format(value)),
        },
      ],
      series: [
        {},
        ...drawn.map((one) => ({
          label: one.label,
          stroke: color(`--series-${one.color}`),
          ...(kind === 'bars' ? { fill: color(`--series-${one.color}`) } : {}),
          width: kind === 'bars' ? 0 : 2,
          points: { show: false },
          ...(paths === undefined ? {} : { paths }),
        })),
      ],
    },
    [[...x], ...drawn.map(({ values }) => [...values])],
    box,
  )
}

function stacked(series: readonly Series[]): Series[] {
  const sums: number[] = []
  return series.map((one) => {
    const values = one.values.map((value, i) => {
      sums[i] = (sums[i] ?? 0) + value
      return sums[i]
    })
    return { ...one, values }
  })
}
