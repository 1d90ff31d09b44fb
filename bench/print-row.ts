import type { Row } from './row.ts'

/** Widths of name, value, unit, baseline and ratio; the bar ends the line. */
const NAME_WIDTH = 94
const NUMBER_WIDTH = 13
const UNIT_WIDTH = 11
const RATIO_WIDTH = 9

export function tableHead(): string {
  return line('figure', 'value', 'unit', 'baseline', 'ratio', 'bar')
}

export function tableLine({ name, value, unit, baseline, ratio, bar, ok }: Row): string {
  const verdict = bar === null ? '' : `${ok ? '✓' : '✗'} ${bar}`
  return line(name, shown(value), unit, baseline === null ? '' : shown(baseline), ratioText(ratio), verdict)
}

function line(
  name: string,
  value: string,
  unit: string,
  baseline: string,
  ratio: string,
  bar: string,
): string {
  const cells = [
    name.padEnd(NAME_WIDTH),
    value.padStart(NUMBER_WIDTH),
    ` ${unit}`.padEnd(UNIT_WIDTH),
    baseline.padStart(NUMBER_WIDTH),
    ratio.padStart(RATIO_WIDTH),
  ]
  return `${cells.join('')}  ${bar}`.trimEnd()
}

/** Whole numbers from 100 up, three digits below: more is noise. */
function shown(figure: number): string {
  return figure >= 100 ? Math.round(figure).toLocaleString('en-US') : String(Number(figure.toPrecision(3)))
}

function ratioText(ratio: number | null): string {
  return ratio === null ? '' : `${shown(ratio)}×`
}
