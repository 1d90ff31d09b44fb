import assert from 'node:assert/strict'
import { z } from 'zod'
import { compareOutputs } from '../../compute/compare/compare-outputs.ts'
import { auditCommitment } from '../../compute/work/audit-commitment.ts'
import { decodeCbor } from '../../compute/work/canonical-cbor.ts'
import { hex } from '../../compute/work/hex.ts'
import { bytes32, integer } from '../../compute/work/record.ts'
import { MAX_LIST_BYTES } from '../../compute/work/submission.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import type { EntryOf } from '../log/entry.ts'
import { AUDIT_ROUNDS } from '../rules/audit-rounds.ts'
import { evidenceOf } from '../rules/cusum-evidence.ts'
import { ratioOf } from '../rules/sampling.ts'
import { type AuditedReceipt, isSuspended, modelKey } from '../rules/standings.ts'
import { checkDrawn, checkRoundOpens } from './check-audit.ts'
import { observeAgain } from './check-standing.ts'
import { auditorOf, drawOf } from './draw.ts'
import { type Check, readable } from './findings.ts'
import { isPrivate, readBlob, readBundle } from './read-blob.ts'
import { type AuditRound, latestTip, type ReplayedReceipt, type ReplayState } from './replay-state.ts'

const recordList = z.array(
  z.strictObject({
    auditor: bytes32,
    outputs: bytes32.nullable(),
    reason: z.string(),
    receipt: bytes32,
    round: integer,
    salt: bytes32.nullable(),
    verdict: z.enum(['pass', 'fail', 'inconclusive']),
  }),
)
/** An auditor that can't run a job commits itself to that: to outputs of no bytes. */
const NO_BYTES = sha256(new Uint8Array())

type VerdictRecord = z.infer<typeof recordList>[number]

/** Verdicts on rounds that are open, by the auditors drawn, on the outputs that these had committed themselves to. */
export async function checkVerdict(
  state: ReplayState,
  entry: EntryOf<'verdict'>,
  index: number,
): Promise<void> {
  const check = state.findings.at('verdicts', index)
  const bytes = await readBlob(state, check, entry.verdicts, 'verdict list')
  const records =
    bytes === null
      ? null
      : readable(check, () => recordList.parse(decodeCbor(bytes, { maxBytes: MAX_LIST_BYTES })))
  if (records === null) return
  const { count } = entry
  check(records.length === count, 'count_mismatch', () => `lists ${records.length} verdicts, not ${count}`)
  const audits: AuditedReceipt[] = []
  for (const record of records) {
    const receipt = state.receipts.get(hex(record.receipt))
    check(receipt !== undefined, 'receipt_unknown', () => `no receipt ${hex(record.receipt)} is audited`)
    if (receipt === undefined) continue
    const round = await closeRound(state, check, receipt, record, index)
    if (round === null) continue
    await decide(state, receipt, index)
    await judgeAgain(state, receipt, round)
    if (record.verdict !== 'inconclusive') audits.push(auditedReceipt(receipt, round, record.verdict))
  }
  observeAgain(state, audits, index)
}

function auditedReceipt(
  { hex: receipt, job, market }: ReplayedReceipt,
  { auditor, entry }: AuditRound,
  verdict: AuditedReceipt['verdict'],
): AuditedReceipt {
  const { subnet, model, worker } = job
  const evidence = evidenceOf(ratioOf(market.model.falseFailRate))
  return { entry, receipt, model: modelKey(subnet, model), worker, auditor, verdict, evidence }
}

async function closeRound(
  state: ReplayState,
  check: Check,
  receipt: ReplayedReceipt,
  record: VerdictRecord,
  index: number,
): Promise<AuditRound | null> {
  const { auditor, outputs, salt, verdict } = record
  let round = receipt.rounds[record.round]
  if (round === undefined) {
    if (!checkRoundOpens(check, receipt, record.round)) return null
    await checkDrawn(state, check, receipt, record.round, auditor)
    round = {
      auditor: hex(auditor),
      commitment: null,
      entry: index,
      verdict: null,
      outputs: null,
      isSilent: false,
    }
    receipt.rounds.push(round)
  }
  const isOpen = round.verdict === null && round.auditor === hex(auditor)
  if (
    !check(isOpen, 'round_not_open', () => `round ${record.round} of ${receipt.hex} is closed, or another's`)
  )
    return null

  const isShown = salt !== null || outputs !== null
  // Who is suspended has no more time.
  const isSilent = !isShown && !isSuspended(state.standings, hex(auditor))
  if (isShown) checkCommitment(check, receipt, round, record)
  if (isSilent) await checkSilence(state, check, receipt, index)
  check(
    (outputs === null) === (verdict === 'inconclusive'),
    'verdict_wrong',
    () => `${verdict} on ${receipt.hex} ${outputs === null ? 'without' : 'with'} outputs`,
  )
  round.entry = index
  round.verdict = verdict
  round.outputs = outputs
  round.isSilent = isSilent
  return round
}

/** Outputs, or that there are none, are what the auditor had committed itself to: the operator can't say so for it. */
function checkCommitment(
  check: Check,
  { hex: name }: ReplayedReceipt,
  { commitment }: AuditRound,
  { auditor, outputs, salt }: VerdictRecord,
): void {
  const outputDigest = outputs ?? NO_BYTES
  const receipt = Buffer.from(name, 'hex')
  const shown = salt === null ? null : auditCommitment({ auditor, receipt, salt, outputDigest })
  check(
    shown !== null && commitment !== null && Buffer.compare(shown, commitment) === 0,
    'commitment_mismatch',
    () => `what is shown for ${name} is not what the auditor committed itself to`,
  )
}

/** Silence is the operator's word: at least it can't be said before the auditor, and each silent one before it, had its time. */
async function checkSilence(
  state: ReplayState,
  check: Check,
  { submission, hex: id, rounds }: ReplayedReceipt,
  index: number,
): Promise<void> {
  const draw = await drawOf(state, submission)
  if (draw === null) return
  const { finalDepth } = state.rules
  const turns = rounds.filter(({ isSilent }) => isSilent).length + 1
  const dueHeight = draw.height + finalDepth - 1 + turns * (state.genesis.epoch.auditRoundBlocks + 1)
  check(
    latestTip(state, index) >= dueHeight,
    'silence_early',
    () => `the auditor of ${id} had until block ${dueHeight}`,
  )
}

/** Inconclusive rounds are drawn again twice, then the receipt is void (DESIGN §7). */
async function decide(state: ReplayState, receipt: ReplayedReceipt, index: number): Promise<void> {
  const { fate, rounds } = receipt
  const last = rounds.at(-1)?.verdict
  if (fate.verdict !== null || last === undefined || last === null) return
  fate.entry = index
  if (last !== 'inconclusive') {
    fate.verdict = last
    return
  }
  const draw = await drawOf(state, receipt.submission)
  const isNobodyLeft =
    draw !== null && auditorOf(receipt, rounds.length, draw, state.genesis.auditor) === null
  if (rounds.length === AUDIT_ROUNDS || isNobodyLeft) fate.verdict = 'void'
}

/** The comparison once more, as soon as the worker's output is opened: at settlement, or here when that is past. */
export async function judgeAgain(
  state: ReplayState,
  receipt: ReplayedReceipt,
  { outputs: own, verdict, entry }: AuditRound,
): Promise<void> {
  const { outputDigest: claimed, hex: id, job } = receipt
  if (claimed === null || own === null) return
  const check = state.findings.at('verdicts', entry)
  // Equal digests are equal bytes: only what differs has to be had.
  if (Buffer.compare(claimed, own) === 0) {
    check(verdict === 'pass', 'verdict_wrong', () => `${verdict} on ${id}: the outputs are equal`)
    return
  }
  // What a fail was said on is kept for good, and shown unless it is private.
  const read = (digest: Uint8Array, what: string) =>
    verdict === 'fail' && !isPrivate(state, job)
      ? readBlob(state, check, digest, what)
      : readBundle(state, { rule: 'verdicts', entry }, receipt, digest, what)
  const outputs = await read(claimed, `output of ${id}`)
  if (!(outputs instanceof Uint8Array)) return
  const expected = await read(own, `auditor's output for ${id}`)
  if (!(expected instanceof Uint8Array)) return
  const known = state.markets.model(job.subnet, job.model, job.epoch)
  assert(known !== null, 'a receipt is taken only where its model is known')
  const again = compareOutputs(known.model.profile, outputs, expected)
  check(verdict === again.verdict, 'verdict_wrong', () => `${verdict} on ${id}: ${again.reason}`)
}
