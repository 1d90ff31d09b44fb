import type { ReadStatus } from '../client/status-answer.ts'
import type { DemoEvent, Stage } from '../demo/demo-event.ts'

/** The demo while it runs: one live line on a terminal, a line for each stage elsewhere. */
export interface DemoScreen {
  show(event: DemoEvent): void
  /** `ok`: whether the stage in hand has come to its end. */
  close(ok: boolean): void
}

const TITLES: Readonly<Record<Stage, string>> = {
  bitcoind: 'Starting a bitcoind in regtest',
  model: 'Training a digit classifier',
  coordinator: 'Starting the coordinator, funding seal and treasury',
  workers: 'Starting two workers and an auditor',
  work: 'Working: an open dataset and Open Inference Protocol requests',
  settlement: 'Auditing, settling, maturing',
  payout: 'Paying the workers on chain',
  proofs: 'Checking everything from outside',
}
const BAR_WIDTH = 20

export function openDemoScreen(
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'> & { write(text: string): unknown },
): DemoScreen {
  const live = stream.isTTY === true && process.env.TERM !== 'dumb'
  // Present and not empty (no-color.org).
  const color = live && (process.env.NO_COLOR ?? '') === ''
  let stage: Stage | null = null
  let stageStartedMs = performance.now()
  let fraction: number | null = null
  let detail = ''

  function draw(): void {
    if (!live || stage === null) return
    const bar = fraction === null ? '' : ` ${barOf(fraction)}`
    const line = ` ⧗ ${TITLES[stage]}${bar} ${detail}`
    stream.write(`\r\u001b[2K${line.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`)
  }

  function finish(ok: boolean): void {
    if (stage === null) return
    const seconds = ((performance.now() - stageStartedMs) / 1000).toFixed(1)
    const sign = ok ? '✓' : '✗'
    const mark = color ? `\u001b[${ok ? 32 : 31}m${sign}\u001b[0m` : sign
    stream.write(`${live ? '\r\u001b[2K' : ''} ${mark} ${TITLES[stage].padEnd(64)}${seconds.padStart(6)} s\n`)
    stage = null
  }

  return {
    show(event) {
      if (event.kind === 'stage') {
        finish(true)
        stage = event.stage
        stageStartedMs = performance.now()
        fraction = null
        detail = ''
      } else if (event.kind === 'fraction') {
        ;({ fraction, detail } = event)
      } else if (event.kind === 'status' && stage !== 'work') {
        fraction = null
        detail = describe(event.status)
      }
      draw()
    },
    close: finish,
  }
}

function describe({ height, open }: ReadStatus): string {
  if (open === null) return `block ${height}`
  const anchors = open.anchors.filter((anchor) => anchor.height !== null).length
  const paid = open.payouts.reduce((sum, { totalSats }) => sum + BigInt(totalSats), 0n)
  return `block ${height} · ${open.work.receipts} receipts · ${anchors} anchors · ${open.audits.passed} audits passed · ${paid} sat in payouts`
}

function barOf(fraction: number): string {
  const full = Math.round(Math.min(1, Math.max(0, fraction)) * BAR_WIDTH)
  return `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)}`
}
