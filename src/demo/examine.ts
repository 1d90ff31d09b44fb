import { anchorVsize } from '../../anchor/anchor-transaction.ts'
import { checkHeaderChain } from '../../anchor/header-chain.ts'
import type { Node } from '../../anchor/node.ts'
import type { RegtestNode } from '../../regtest/start-bitcoind.ts'
import { fetchHeaders } from '../client/fetch-headers.ts'
import { formatMsat } from '../client/format-msat.ts'
import { readPublicLog } from '../client/read-public-log.ts'
import { readReconciliation } from '../client/read-reconciliation.ts'
import type { OpenStatus } from '../client/status-answer.ts'
import { datasetAnswers } from './dataset-accuracy.ts'
import type { DemoCheck, DemoSummary } from './demo-event.ts'
import { DATASET_ROWS, MIN_ACCURACY, REQUEST_ROWS } from './demo-plan.ts'
import { examineAcknowledgements } from './examine-acknowledgements.ts'
import { examineCheat } from './examine-cheat.ts'
import { examineProofs } from './examine-proofs.ts'
import { minedVsize } from './mined-transaction.ts'
import { paidOnChain } from './paid-on-chain.ts'
import type { DigitAnswer } from './requester.ts'
import type { Site } from './site.ts'
import { DemoError } from './until.ts'

export interface Findings {
  readonly chain: Node
  /** As the node calls itself. */
  readonly bitcoind: string
  readonly site: Site
  /** Accuracy of the model as its training measured it. */
  readonly trained: number
  readonly answers: readonly DigitAnswer[]
  readonly labels: { readonly dataset: readonly number[]; readonly requests: readonly number[] }
  readonly method: 'dual' | 'taproot'
  /** Where one worker was to cheat: what that worker printed, and the node. */
  readonly cheat: { readonly log: string; readonly node: RegtestNode } | null
  readonly onFraction: (fraction: number, detail: string) => void
}

/** Looks at everything from outside: the public log, the proofs, the chain and the books, each against the others. */
export async function examine(found: Findings): Promise<Omit<DemoSummary, 'seconds' | 'blocks'>> {
  const { chain, site, trained, answers, labels, method, cheat } = found
  const status = await site.status()
  const { open } = status
  if (open === null) throw new DemoError('the coordinator is not open')

  const log = await readPublicLog(site.url, status.log.verifierKey)
  const dataset = await datasetAnswers(site.url, log, labels.dataset)
  const requestsRight = answers.filter(({ digit }, i) => digit === labels.requests[i]).length
  const headers = checkHeaderChain(await fetchHeaders(chain), 'regtest')
  const proofs = await examineProofs(site.url, status.log.verifierKey, headers, method, found.onFraction)
  const acknowledged = examineAcknowledgements(site.folder, log, status.log.verifierKey)
  const onChain = await paidOnChain(chain, open)
  const reconciliation = await readReconciliation(site.url)
  const mined = open.anchors.filter(({ height }) => height !== null)
  const vsizes = await Promise.all(mined.map((anchor) => minedVsize(chain, anchor)))

  const receipts = open.workers.reduce((sum, worker) => sum + worker.receipts, 0)
  const accuracy = {
    training: trained,
    dataset: dataset.right / dataset.answered,
    requests: requestsRight / REQUEST_ROWS,
  }
  const workers = open.workers.map((worker) => ({
    worker: worker.worker,
    address: worker.address,
    receipts: worker.receipts,
    accruedSats: formatMsat(accruedMsat(worker)),
    paidSats: formatMsat(BigInt(worker.paidMsat)),
    onChainSats: `${onChain.get(worker.address) ?? 0n}`,
  }))
  const paidRight = open.workers.every(
    ({ address, paidMsat }) => BigInt(paidMsat) === 1000n * (onChain.get(address) ?? 0n),
  )
  const paidSats = [...onChain.values()].reduce((sum, sats) => sum + sats, 0n)
  const wanted = anchorVsize(method, false)
  const checks: DemoCheck[] = [
    check('model', trained >= MIN_ACCURACY, `${percent(trained)} of rows it never saw`),
    check(
      'dataset',
      cheat === null ? dataset.answered === DATASET_ROWS : dataset.answered >= DATASET_ROWS,
      `${dataset.answered} of ${DATASET_ROWS} rows answered`,
    ),
    check(
      'requests',
      answers.length === REQUEST_ROWS,
      `${answers.length} of ${REQUEST_ROWS} requests answered`,
    ),
    check(
      'accuracy',
      cheat !== null || (accuracy.dataset >= MIN_ACCURACY && accuracy.requests >= MIN_ACCURACY),
      `${percent(accuracy.dataset)} of the dataset, ${percent(accuracy.requests)} of the requests`,
    ),
    check(
      'log',
      receipts >= DATASET_ROWS + REQUEST_ROWS,
      `${log.checkpoint.size} entries lead to the signed root`,
    ),
    check(
      'answers',
      answers.every(({ receiptId }) => proofs.ids.has(receiptId)),
      "each answer's receipt is in the log",
    ),
    check(
      'anchors',
      mined.length > 0 && vsizes.every((vsize) => vsize === wanted),
      `${mined.length} mined, ${[...new Set(vsizes)].join(', ')} vB each`,
    ),
    check(
      'audits',
      open.audits.sampled > 0 && open.audits.failed > 0 === (cheat !== null),
      `${open.audits.passed} of ${open.audits.sampled} sampled receipts passed, of ${receipts}`,
    ),
    check(
      'acknowledgements',
      acknowledged.missing.length === 0 && acknowledged.receipts === receipts,
      `all ${acknowledged.submissions} acknowledged submissions are in the log, with ${acknowledged.receipts} receipts`,
    ),
    check('payouts', paidRight && paidSats > 0n, `${paidSats} sat arrived on chain, as the ledger says`),
    check('reconciliation', reconciliation.ok, `books and chain agree at block ${reconciliation.height}`),
    ...proofs.checks,
    ...(cheat === null ? [] : await examineCheat(site.url, cheat, open.workers)),
  ]
  return {
    ok: checks.every(({ ok }) => ok),
    bitcoind: found.bitcoind,
    jobs: receipts,
    receipts,
    accuracy,
    log: { entries: log.checkpoint.size, root: Buffer.from(log.checkpoint.root).toString('hex') },
    anchors: mined.map(({ index, txid, feeSats, height }, i) => ({
      index,
      txid: txid ?? '',
      vsize: vsizes[i] ?? 0,
      feeSats,
      height: height ?? 0,
    })),
    audits: {
      sampled: open.audits.sampled,
      receipts,
      passed: open.audits.passed,
      failed: open.audits.failed,
    },
    workers,
    payouts: open.payouts.map(({ number, txid, totalSats, feeSats, vsize }) => ({
      number,
      txid: txid ?? '',
      sats: totalSats,
      feeSats,
      vsize,
    })),
    proofs: { verified: proofs.verified, bytes: proofs.bytes, otsBytes: proofs.otsBytes },
    checks,
  }
}

function accruedMsat(worker: OpenStatus['workers'][number]): bigint {
  return BigInt(worker.unmaturedMsat) + BigInt(worker.maturedMsat) + BigInt(worker.paidMsat)
}

function check(name: string, ok: boolean, detail: string): DemoCheck {
  return { name, ok, detail }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
