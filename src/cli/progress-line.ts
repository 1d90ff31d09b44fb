import type { WriteStream } from 'node:tty'

/** What takes less than this shows no progress. */
const QUIET_MS = 1_000
/** Between two lines where they can't be overwritten; between two redraws where they can. */
const LINE_EVERY_MS = 10_000
const REDRAW_EVERY_MS = 100
const BAR_WIDTH = 20

/** How far a command is: one live line on a terminal, a plain one now and then elsewhere. */
export interface ProgressLine {
  /** Without `of` nobody knows how much there is: no bar. */
  show(done: number, of?: number): void
  /** Leaves no line behind on a terminal. */
  close(): void
}

export function openProgressLine(title: string, stream: WriteStream = process.stderr): ProgressLine {
  const live = stream.isTTY === true && process.env.TERM !== 'dumb'
  let nextMs = performance.now() + QUIET_MS
  let shown = false
  return {
    show(done, of) {
      if (performance.now() < nextMs) return
      nextMs = performance.now() + (live ? REDRAW_EVERY_MS : LINE_EVERY_MS)
      shown = true
      const text = of === undefined ? `${done}` : `${done} of ${of}`
      stream.write(live ? `\r\u001b[2K${title} ${barOf(done, of)}${text}` : `${title}: ${text}\n`)
    },
    close() {
      if (live && shown) stream.write('\r\u001b[2K')
    },
  }
}

function barOf(done: number, of?: number): string {
  if (of === undefined) return ''
  const full = Math.round((BAR_WIDTH * done) / Math.max(1, of))
  return `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)} `
}
