import { encodeReceipt, parseReceipt, receiptId } from '../../../compute/work/receipt.ts'
import { receiptLeaf } from '../../../compute/work/receipt-path.ts'
import { treeRoot } from '../../../compute/work/receipt-tree.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import { assignmentHeight } from '../../../src/rules/assignment.ts'
import { epochRules } from '../../../src/rules/epoch-rules.ts'
import type { Peer } from '../coordinator/peer.ts'
import {
  type ChangedLog,
  changeAdmission,
  changeAudit,
  changeEntry,
  changeHeader,
  changeOpenings,
  changeReceipts,
  changeVerdicts,
  type Difference,
  repeatEntry,
  without,
} from './changed-log.ts'
import { find } from './recorded-log.ts'

const NOTHING = new Uint8Array(32)
const NO_SIGNATURE = new Uint8Array(64)

export const DIFFERENCES_IN_WORK: Difference[] = [
  [
    'a salt that opens nothing',
    'openings: opening_mismatch',
    (log) => changeOpenings(log, (openings) => openings.map((one) => ({ ...one, inputSalt: NOTHING }))),
  ],
  [
    'another origin than was committed to',
    'openings: opening_mismatch',
    (log) => changeOpenings(log, (openings) => openings.map((one) => ({ ...one, originSalt: NOTHING }))),
  ],
  [
    'another output than the receipt’s',
    'openings: opening_mismatch',
    (log) => changeOpenings(log, (openings) => openings.map((one) => ({ ...one, output: one.input }))),
  ],
  [
    'a receipt that is not opened',
    'openings: openings_incomplete',
    (log) => changeOpenings(log, (openings) => openings.slice(1)),
  ],
  [
    'openings in another order',
    'openings: openings_incomplete',
    (log) => changeOpenings(log, (openings) => openings.toReversed()),
  ],
  [
    'a verdict flipped to pass',
    'verdicts: verdict_wrong',
    (log) => changeVerdicts(log, (list) => list.map((one) => ({ ...one, verdict: 'pass' })), 'fail'),
  ],
  [
    'a verdict flipped to fail',
    'verdicts: verdict_wrong',
    (log) => changeVerdicts(log, (list) => list.map((one) => ({ ...one, verdict: 'fail' }))),
  ],
  [
    'a verdict without outputs',
    'verdicts: commitment_mismatch',
    (log) => changeVerdicts(log, (list) => list.map((one) => ({ ...one, outputs: null }))),
  ],
  [
    'outputs without a verdict',
    'verdicts: verdict_wrong',
    (log) => changeVerdicts(log, (list) => list.map((one) => ({ ...one, verdict: 'inconclusive' }))),
  ],
  [
    'an abstention that the auditor did not commit itself to',
    'verdicts: commitment_mismatch',
    (log) =>
      changeVerdicts(log, (list) => list.map((one) => ({ ...one, outputs: null, verdict: 'inconclusive' }))),
  ],
  [
    'outputs that nobody had committed to',
    'verdicts: commitment_mismatch',
    (log) => changeVerdicts(log, (list) => list.map((one) => ({ ...one, outputs: NOTHING }))),
  ],
  [
    'a verdict by somebody else',
    'verdicts: round_not_open',
    (log) => changeVerdicts(log, (list) => list.map((one) => ({ ...one, auditor: NOTHING }))),
  ],
  [
    'a verdict in a round that was not drawn',
    'verdicts: round_not_open',
    (log) => changeVerdicts(log, (list) => list.map((one) => ({ ...one, round: 1 }))),
  ],
  [
    'a verdict said twice',
    'verdicts: round_not_open',
    (log) => changeVerdicts(log, (list) => list.flatMap((one) => [one, one])),
  ],
  [
    'a verdict on no receipt',
    'verdicts: receipt_unknown',
    (log) => changeVerdicts(log, (list) => list.map((one) => ({ ...one, receipt: NOTHING }))),
  ],
  [
    'more verdicts than are listed',
    'verdicts: count_mismatch',
    (log) => changeEntry(log, 'verdict', (entry) => ({ ...entry, count: entry.count + 1 })),
  ],
  ['silence said of an auditor that had time left', 'verdicts: silence_early', earlySilence],
  ['an audit left out', 'sampling: audit_missed', skippedAudit],
  [
    'an auditor that was not drawn',
    'audits: auditor_not_drawn',
    (log, peers) =>
      changeAudit(
        log,
        peers,
        (list) => list,
        (auditor) => anotherThan(peers, auditor),
      ),
  ],
  [
    'the admission of a key that is not registered',
    'auditors: worker_unknown',
    (log) => changeAdmission(log, (entry) => ({ ...entry, worker: NOTHING })),
  ],
  [
    'the withdrawal of a key that was not admitted',
    'auditors: auditor_status_same',
    (log) => changeAdmission(log, (entry) => ({ ...entry, status: 'withdrawn' })),
  ],
  [
    'an auditor whose admission is left out',
    'audits: auditor_not_drawn',
    async (log) => ({
      source: await without(log, (entry) => entry.kind === 'status' && entry.subject === 'auditor'),
      entry: null,
    }),
  ],
  [
    'an audit of no receipt',
    'audits: receipt_unknown',
    (log, peers) => changeAudit(log, peers, (list) => list.map((one) => ({ ...one, receipt: NOTHING }))),
  ],
  [
    'a round before its turn',
    'audits: round_not_open',
    (log, peers) => changeAudit(log, peers, (list) => list.map((one) => ({ ...one, round: 1 }))),
  ],
  ['an audit of work that no anchor covers', 'audits: beacon_missing', unanchoredWork],
  [
    'commitments that the auditor did not sign',
    'audits: signature_invalid',
    (log) => changeEntry(log, 'audit', (entry) => ({ ...entry, signature: NO_SIGNATURE })),
  ],
  ['a job leased to another worker', 'submissions: job_unknown', jobToAnother],
  ['work that another beacon assigned', 'assignment: not_assigned', anotherBeacon],
  [
    'jobs under another root',
    'jobs: root_mismatch',
    (log) => changeEntry(log, 'jobs', (entry) => ({ ...entry, root: NOTHING })),
  ],
  [
    'more jobs than are listed',
    'jobs: count_mismatch',
    (log) => changeEntry(log, 'jobs', (entry) => ({ ...entry, count: entry.count + 1 })),
  ],
  [
    'jobs of a later epoch',
    'jobs: epoch_mismatch',
    (log) => changeEntry(log, 'jobs', (entry) => ({ ...entry, epoch: entry.epoch + 2 })),
  ],
  [
    'jobs that are withheld',
    'jobs: blob_missing',
    (log) => changeEntry(log, 'jobs', (entry) => ({ ...entry, jobs: NOTHING })),
  ],
  [
    'jobs of nobody',
    'jobs: worker_unknown',
    (log) => changeEntry(log, 'jobs', (entry) => ({ ...entry, worker: NOTHING })),
  ],
  ['jobs logged twice', 'jobs: job_repeated', (log) => repeatEntry(log, 'jobs')],
  [
    'a submission out of its chain',
    'submissions: sequence_mismatch',
    (log, peers) => changeHeader(log, peers, { sequence: 7 }),
  ],
  [
    'a submission after one that is not its worker’s last',
    'submissions: sequence_mismatch',
    (log, peers) => changeHeader(log, peers, { previous: new Uint8Array(32).fill(1) }),
  ],
  [
    'a submission over other receipts',
    'submissions: root_mismatch',
    (log, peers) => changeHeader(log, peers, { root: NOTHING }),
  ],
  [
    'a submission over more receipts',
    'submissions: count_mismatch',
    (log, peers) => changeHeader(log, peers, { count: 9 }),
  ],
  [
    'a submission that its worker did not sign',
    'submissions: signature_invalid',
    (log) => changeEntry(log, 'submission', (entry) => ({ ...entry, signature: NO_SIGNATURE })),
  ],
  [
    'a receipt left out of its submission',
    'submissions: count_mismatch',
    (log) => changeReceipts(log, (receipts) => receipts.slice(1)),
  ],
  ['two receipts of one job', 'submissions: job_already_submitted', twoOfOneJob],
  [
    'receipts in another order',
    'submissions: root_mismatch',
    (log) => changeReceipts(log, (receipts) => receipts.toReversed()),
  ],
]

/** The first stands in the place of the second as well, which its worker signs. */
async function twoOfOneJob(log: ReplaySource, peers: readonly Peer[]): Promise<ChangedLog> {
  let root: Uint8Array = NOTHING
  const { source } = await changeReceipts(log, ([first = NOTHING, , ...rest]) => {
    const receipts = [first, encodeReceipt({ ...parseReceipt(first), index: 1 }), ...rest]
    root = treeRoot(receipts.map((receipt) => receiptLeaf(receiptId(receipt))))
    return receipts
  })
  return changeHeader(source, peers, { root })
}

/** Of honest work, whose author's standing is none the worse for it: shows where the epoch is settled without it. */
async function skippedAudit(log: ReplaySource, [, cheat]: readonly Peer[]): Promise<ChangedLog> {
  const { source } = await changeVerdicts(log, (list) => list.slice(1), 'pass', cheat?.key)
  return { source, entry: (await find(log, 'epoch')).index }
}

/** With anchors of one block over work and verdict, the log shows when it was said. */
async function earlySilence(log: ReplaySource): Promise<ChangedLog> {
  const { source, entry: index } = await changeVerdicts(log, (list) =>
    list.map((one) => ({ ...one, outputs: null, salt: null, verdict: 'inconclusive' })),
  )
  if (index === null) throw new Error('a verdict has its entry')
  const { index: worked } = await find(log, 'submission')
  const first = log.anchors.find(({ size }) => size > worked)
  if (first === undefined) throw new Error('work is anchored')
  const others = log.anchors.filter(({ size }) => size <= worked || size > index + 1)
  const anchors = [...others, first, { height: first.height, size: index + 1 }].sort(
    (x, y) => x.size - y.size,
  )
  return { source: { ...source, anchors }, entry: index }
}

async function unanchoredWork(log: ReplaySource): Promise<ChangedLog> {
  const { index: worked } = await find(log, 'submission')
  const anchors = log.anchors.filter(({ size }) => size <= worked)
  return { source: { ...log, anchors }, entry: (await find(log, 'audit')).index }
}

async function jobToAnother(log: ReplaySource, peers: readonly Peer[]): Promise<ChangedLog> {
  const { source } = await changeEntry(log, 'jobs', (entry) => ({
    ...entry,
    worker: anotherThan(peers, entry.worker),
  }))
  return { source, entry: (await find(log, 'submission')).index }
}

/** As if the operator had assigned epoch 0 by a block of its own: shows at the first job that came out otherwise. */
async function anotherBeacon(log: ReplaySource): Promise<ChangedLog> {
  const { entry: genesis } = await find(log, 'genesis')
  const height = assignmentHeight(0, epochRules(genesis))
  const blockHash = async (at: number) => (at === height ? NOTHING : log.chain.blockHash(at))
  return { source: { ...log, chain: { ...log.chain, blockHash } }, entry: null }
}

function anotherThan(peers: readonly Peer[], key: Uint8Array): Uint8Array {
  const other = peers.find((one) => Buffer.compare(one.key, key) !== 0)
  if (other === undefined) throw new Error('there is nobody else')
  return other.key
}
