import type { DemoSummary } from '../demo/demo-event.ts'
import { renderTable } from './table.ts'

const SHOWN_ANCHORS = 5

/** The end of the demo, for people. */
export function renderDemoSummary(summary: DemoSummary): string {
  const { anchors, audits, workers, payouts, proofs, checks } = summary
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`
  const first = anchors[0]
  const last = anchors.at(-1)
  return [
    '',
    `Accuracy   ${percent(summary.accuracy.dataset)} of the open dataset, ${percent(summary.accuracy.requests)} of the requests, on rows the model never saw`,
    `Receipts   ${summary.receipts}, in a log of ${summary.log.entries} entries with root ${summary.log.root.slice(0, 16)}…`,
    `Audits     ${audits.passed} of ${audits.sampled} passed; Bitcoin's block hashes sampled ${audits.sampled} of ${audits.receipts}`,
    `Anchors    ${anchors.length}, from block ${first?.height} to ${last?.height}; the last ${SHOWN_ANCHORS}, --json lists all:`,
    indent(
      renderTable(
        ['anchor', 'height', 'vB', 'fee sat', 'txid'],
        anchors
          .slice(-SHOWN_ANCHORS)
          .map((one) => [`${one.index}`, `${one.height}`, `${one.vsize}`, one.feeSats, one.txid]),
      ),
    ),
    'Payouts',
    indent(
      renderTable(
        ['payout', 'sat', 'fee sat', 'vB', 'txid'],
        payouts.map((one) => [`${one.number}`, one.sats, one.feeSats, `${one.vsize}`, one.txid]),
      ),
    ),
    'Workers',
    indent(
      renderTable(
        ['worker', 'receipts', 'accrued sat', 'paid sat', 'on chain sat'],
        workers.map((one) => [
          `${one.worker.slice(0, 16)}…`,
          `${one.receipts}`,
          one.accruedSats,
          one.paidSats,
          one.onChainSats,
        ]),
      ),
    ),
    `Proofs     ${proofs.verified} verified offline, ${proofs.bytes} bytes at most; .ots ${proofs.otsBytes} bytes`,
    '',
    ...checks.map(({ name, ok, detail }) => `  ${ok ? '✓' : '✗'} ${name.padEnd(18)}${detail}`),
    '',
    `${summary.ok ? 'Every check held' : 'A CHECK FAILED'}: ${summary.blocks} blocks in ${summary.seconds} s on ${summary.bitcoind}.`,
  ].join('\n')
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}
