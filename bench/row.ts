/** One figure, as `--json` prints it. */
export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** In the same unit, measured in the same run; null where nothing is beside it. */
  readonly baseline: number | null
  /** Value over baseline. */
  readonly ratio: number | null
  /** What is asked of the figure, for people; null where nothing is. */
  readonly bar: string | null
  /** False only for a bar that is missed. */
  readonly ok: boolean
}

/** A bound on the value, or on its ratio to the baseline. */
export interface Bar {
  readonly on: 'value' | 'ratio'
  readonly is: '≤' | '≥'
  readonly bound: number
}

interface Figure extends Pick<Row, 'name' | 'value' | 'unit'> {
  readonly baseline?: number
  readonly bar?: Bar
}

export function rowOf({ name, value, unit, baseline, bar }: Figure): Row {
  const ratio = baseline === undefined ? null : value / baseline
  return {
    name,
    value,
    unit,
    baseline: baseline ?? null,
    ratio,
    bar: bar === undefined ? null : `${bar.on} ${bar.is} ${bar.bound}`,
    ok: bar === undefined || meets(bar, bar.on === 'value' ? value : ratio),
  }
}

/** A ratio that couldn't be taken, for want of a baseline or by division by zero, meets nothing. */
function meets({ is, bound }: Bar, figure: number | null): boolean {
  if (figure === null || !Number.isFinite(figure)) return false
  return is === '≤' ? figure <= bound : figure >= bound
}
