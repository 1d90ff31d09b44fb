import type { StrategyRow } from './weigh-strategies.ts'

// Pixels.
const WIDTH = 900
const LEFT = 190
const RIGHT = 90
const TOP = 70
const ROW = 34
const BAR = 20

// Blue and orange: told apart by nearly everybody.
const LOSS_COLOUR = '#3b6fb6'
const GAIN_COLOUR = '#d9822b'

/** Bars of what each strategy gains over honesty, as an SVG document: left of the line it loses. */
export function renderChart(title: string, rows: readonly StrategyRow[]): string {
  const values = rows.map(({ againstHonesty }) => againstHonesty)
  const least = Math.min(0, ...values)
  // Room to the right of the line even where nothing gains.
  const most = Math.max(0.1, ...values)
  const x = (value: number) => LEFT + ((value - least) / (most - least)) * (WIDTH - LEFT - RIGHT)
  const height = TOP + rows.length * ROW + 20
  const bars = rows.map((row, at) => {
    const y = TOP + at * ROW
    const [from, to] = [x(Math.min(0, row.againstHonesty)), x(Math.max(0, row.againstHonesty))]
    const colour = row.againstHonesty > 0 ? GAIN_COLOUR : LOSS_COLOUR
    return [
      `<text x="${LEFT - 12}" y="${y + 15}" text-anchor="end">${escaped(row.strategy)}</text>`,
      `<rect x="${from.toFixed(1)}" y="${y}" width="${(to - from).toFixed(1)}" height="${BAR}" fill="${colour}"><title>${escaped(row.what)}</title></rect>`,
      `<text x="${(x(Math.max(0, row.againstHonesty)) + 8).toFixed(1)}" y="${y + 15}">${percent(row.againstHonesty)}</text>`,
    ].join('\n')
  })
  const zero = x(0).toFixed(1)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="14">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="20" y="28" font-size="18">${escaped(title)}</text>`,
    `<text x="20" y="50" fill="#555">Gain over honest work, in parts of an honest worker's rewards</text>`,
    ...bars,
    `<line x1="${zero}" x2="${zero}" y1="${TOP - 8}" y2="${height - 12}" stroke="#333"/>`,
    '</svg>\n',
  ].join('\n')
}

export function percent(share: number): string {
  const text = (100 * share).toFixed(1)
  return `${text === '-0.0' ? '0.0' : text}%`
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
