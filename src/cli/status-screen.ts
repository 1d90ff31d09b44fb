import { Help } from 'commander'
import { formatMsat } from '../client/format-msat.ts'
import type { OpenStatus, ReadStatus } from '../client/status-answer.ts'
import { renderTable } from './table.ts'

const BYTES_PER_MB = 1e6
const LABEL_WIDTH = 10
/** One screen; `--json` has all of them. */
const MAX_ROWS_SHOWN = 10
/** Of work measured in joules: a multiply–accumulate takes some picojoules. */
const UNITS_SHOWN = 1e9
const MILLIJOULES_PER_JOULE = 1e3

interface Labelled {
  readonly label: string
  readonly text: string
}

/** What stands behind a label is folded; a row of a table is not. */
type Line = string | Labelled

/**
 * One screen for an operator: what goes on, what is stuck, and what to do about it.
 * @param columns the terminal's; without one, lines are as long as they get
 */
export function renderStatus(status: ReadStatus, columns = Number.POSITIVE_INFINITY): string {
  const { origin, network, height, error, open, anchorAddress } = status
  const epoch = open === null || open.epoch === null ? '' : ` · epoch ${open.epoch}`
  return [
    `${origin} · ${network} · ${height === null ? 'starting' : `block ${height}`}${epoch}`,
    ...(error === null ? [] : [line('ERROR', `the last round failed and is tried again: ${error}`)]),
    ...(open === null || open.halted === null ? [] : [line('HALTED', open.halted)]),
    ...witnessLines(status.witnesses),
    ...(open === null
      ? [
          line(
            'Waiting',
            `for fee money for anchors, sent to ${anchorAddress}: the log opens once it is final`,
          ),
        ]
      : openLines(status, open)),
  ]
    .map((one) => (typeof one === 'string' ? one : foldLine(one, columns)))
    .join('\n')
}

/** What of a screen a terminal of so many rows shows at once, the cursor's row left free: else its head would scroll away. */
export function headOf(screen: string, rows: number): string {
  const lines = screen.split('\n')
  if (lines.length < rows) return screen
  const shown = lines.slice(0, Math.max(0, rows - 2))
  return [...shown, `… ${lines.length - shown.length} more lines: a taller window shows them`].join('\n')
}

function witnessLines(witnesses: ReadStatus['witnesses']): Line[] {
  if (witnesses.length === 0) return []
  const cosigning = witnesses.filter(({ error, size }) => error === null && size !== null)
  const alarms = witnesses.flatMap(({ witness, error, alarm }) =>
    alarm === null
      ? []
      : [
          line('ALARM', `${witness}: ${error?.detail ?? 'conflict'}`),
          line('', '→ an old copy of the database runs here, or the log forked: --json has the signed heads'),
        ],
  )
  return [line('Witnesses', `${cosigning.length} of ${witnesses.length} have cosigned`), ...alarms]
}

function openLines({ height, log }: ReadStatus, open: OpenStatus): Line[] {
  const {
    work,
    audits,
    data,
    privateSubnets,
    payouts,
    payoutTrouble,
    payoutsStopped,
    workers,
    frozen,
    stalled,
    runwayBlocks,
  } = open
  return [
    line('Anchors', anchorText(open, height, log.size)),
    ...(stalled === null
      ? []
      : [line('STALLED', `${stalled.detail} (${stalled.code})`), line('', `→ ${stalled.advice}`)]),
    line('Runway', runwayBlocks === null ? 'unknown before the first anchor' : `${runwayBlocks} blocks`),
    line(
      'Work',
      `${work.requestsOpen} requests open, ${work.jobsLeased} jobs leased, ${work.jobsAnswered} answered; ` +
        `${work.receipts} receipts, ${work.undrawn} submissions undrawn`,
    ),
    line(
      'Audits',
      `${audits.rounds} rounds open; ${audits.sampled} sampled: ${audits.passed} passed, ${audits.failed} failed, ` +
        `${audits.void} void, ${audits.undecided} undecided`,
    ),
    ...(audits.load < audits.limit ? [] : [line('FULL', capacityText(audits))]),
    line('Data', dataText(open)),
    ...(data.isSpaceShort
      ? [
          line('DISK', 'it is almost full: no work is given out until there is room for its outputs'),
          line('', "→ make room on the data folder's disk, or move dataDir to a larger disk"),
        ]
      : []),
    ...(privateSubnets.length === 0
      ? []
      : [
          line(
            'Private',
            `${privateSubnets.join(', ')}: outsiders can't recheck their work; fees, no subsidy`,
          ),
        ]),
    ...subnetLines(open),
    line('Treasury', treasuryText(open)),
    ...reconciledLines(open),
    line('Payouts', payouts.length === 0 ? 'none yet' : countsText(payouts)),
    ...(payoutTrouble === null ? [] : [line('STUCK', payoutTrouble)]),
    ...(payoutsStopped === null ? [] : [line('STOPPED', `payouts: ${payoutsStopped.reason}`)]),
    ...frozen.map(({ model, entry }) =>
      line('FROZEN', `${model}: unrelated workers fail on it together (entry ${entry})`),
    ),
    ...(frozen.length === 0
      ? []
      : [line('', '→ find out why, then: assay subnet thaw MODEL --as upheld or recalibrated')]),
    line('Workers', standingsText(workers)),
    ...workerLines(workers),
  ]
}

function reconciledLines({ reconciled }: OpenStatus): Line[] {
  if (reconciled === null) return []
  const { epoch, height, ok, differs } = reconciled
  if (ok) return [line('Books', `agree with the chain, as of epoch ${epoch} at block ${height}`)]
  return [
    line('DIFFERS', `the books from the chain at block ${height}: ${differs.join(', ')}`),
    line('', '→ assay ledger reconcile shows by how much'),
  ]
}

function capacityText({ load, limit }: OpenStatus['audits']): string {
  if (limit === 0)
    return "nobody audits, so new keys get no work: start the operator's auditor, or admit a worker"
  return `auditors have ${load} audits before them, of ${limit}: new keys get no work until there are fewer`
}

function anchorText({ anchors }: OpenStatus, height: number | null, entries: number): string {
  const last = anchors.findLast((anchor) => anchor.height !== null)
  const unanchored = entries - (last?.size ?? 0)
  const ageText =
    last === undefined || last.height === null || height === null
      ? ''
      : `, the last in block ${last.height}, ${height - last.height} blocks ago`
  const countText = anchors.length === 0 ? 'none yet' : countsText(anchors)
  return `${countText}${ageText}; ${unanchored} of ${entries} entries not anchored yet`
}

function dataText({ data: { heldBytes, collectedBytes } }: OpenStatus): string {
  const [held, collected] = [heldBytes, collectedBytes].map((bytes) => (bytes / BYTES_PER_MB).toFixed(1))
  return `${held} MB of inputs and outputs held, ${collected} MB removed after their retention`
}

/**
 * What the treasury holds is owed, or free: reserve less what miners got of it, what is lost, and what an
 * older log left to pay.
 */
function treasuryText({ balances }: OpenStatus): string {
  let treasuryMsat = 0n
  let freeMsat = 0n
  for (const { kind, msat } of balances) {
    if (kind === 'treasury') treasuryMsat += BigInt(msat)
    if (kind === 'reserve') freeMsat += BigInt(msat)
    if (kind === 'fees' || kind === 'inherited' || kind === 'lost') freeMsat -= BigInt(msat)
  }
  const owedMsat = treasuryMsat - freeMsat
  return `${formatMsat(treasuryMsat)} sat, of which ${formatMsat(owedMsat)} owed and ${formatMsat(freeMsat)} free`
}

function standingsText(workers: OpenStatus['workers']): string {
  const standings = countsText(workers.map(({ standing }) => ({ state: standing })))
  const forfeitedMsat = workers.reduce((sum, one) => sum + BigInt(one.forfeitedMsat), 0n)
  if (workers.length === 0) return '0'
  return `${standings}${forfeitedMsat === 0n ? '' : `; ${formatMsat(forfeitedMsat)} sat forfeited`}`
}

function subnetLines({ subnets }: OpenStatus): Line[] {
  if (subnets.length === 0) return []
  const rows = subnets
    .slice(0, MAX_ROWS_SHOWN)
    .map(({ name, priceMsat, nextPriceMsat, energy }) => [
      name,
      priceText(priceMsat),
      priceText(nextPriceMsat),
      energy.map(joulesText).join(', ') || 'not known',
    ])
  const head = ['subnet', 'msat for 10¹⁵ units', 'next epoch', 'J for 10⁹ units']
  return [line('Subnets', `${subnets.length}`), ...indentedRows(head, rows, subnets.length)]
}

function priceText(msat: string | null): string {
  return msat === '0' ? 'free' : (msat ?? '–')
}

function joulesText({ method, millijoules, units }: OpenStatus['subnets'][number]['energy'][number]): string {
  const joules = (Number(millijoules) / MILLIJOULES_PER_JOULE / Number(units)) * UNITS_SHOWN
  return `${joules.toPrecision(3)} by ${method}`
}

function workerLines(workers: OpenStatus['workers']): string[] {
  if (workers.length === 0) return []
  const rows = workers
    .slice(0, MAX_ROWS_SHOWN)
    .map((one) => [
      `${one.worker.slice(0, 16)}…`,
      `${one.receipts}`,
      one.standing,
      ...[one.unmaturedMsat, one.maturedMsat, one.paidMsat].map((msat) => formatMsat(BigInt(msat))),
    ])
  const head = ['worker', 'receipts', 'standing', 'unmatured sat', 'matured sat', 'paid sat']
  return indentedRows(head, rows, workers.length)
}

/** `rows` are the first of `count`. */
function indentedRows(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  count: number,
): string[] {
  const table = renderTable(head, rows)
  const hidden = count - rows.length
  return [
    ...table.split('\n').map((row) => `  ${row}`),
    ...(hidden === 0 ? [] : [`  and ${hidden} more: --json lists all`]),
  ]
}

function countsText(rows: readonly { readonly state: string }[]): string {
  const counts = Map.groupBy(rows, ({ state }) => state)
  return [...counts].map(([state, of]) => `${of.length} ${state}`).join(', ')
}

function line(label: string, text: string): Labelled {
  return { label, text }
}

/** Between words, on under the text: as commander does it in the commands' help. */
function foldLine({ label, text }: Labelled, columns: number): string {
  const folded = new Help().boxWrap(text, columns - LABEL_WIDTH)
  return label.padEnd(LABEL_WIDTH) + folded.replaceAll('\n', `\n${' '.repeat(LABEL_WIDTH)}`)
}
