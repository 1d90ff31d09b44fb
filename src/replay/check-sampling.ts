import assert from 'node:assert/strict'
import { compareOutputs } from '../../compute/compare/compare-outputs.ts'
import { hex } from '../../compute/work/hex.ts'
import { type CanaryOutcome, refutes } from '../rules/canaries.ts'
import { verdictCutoffHeight } from '../rules/epoch.ts'
import { isRefuted, outcomeOf } from '../rules/outcome.ts'
import { chargeMsat } from '../rules/price.ts'
import { auditRate, isSampled, ratioOf } from '../rules/sampling.ts'
import type { ReceiptOutcome } from '../rules/settle-epoch.ts'
import type { OpenedReceipt } from './check-openings.ts'
import { auditorOf, type Draw, drawOf } from './draw.ts'
import { NOT_SHOWN, readBlob, readBundle } from './read-blob.ts'
import { type Fate, placeOf, type ReplayedReceipt, type ReplayState } from './replay-state.ts'
import type { MissedAudit } from './sample-tally.ts'
import { lastSuspension } from './suspensions.ts'

export interface JudgedReceipt extends OpenedReceipt {
  readonly isSampled: boolean
  readonly outcome: ReceiptOutcome
  /** What a known answer says of it; null where nobody knew one. */
  readonly canary: CanaryOutcome | null
  /** What its requester pays, or would. */
  readonly chargeMsat: bigint
  /** Who is paid for its audit; null: nobody. */
  readonly auditor: string | null
}

/**
 * Which receipts the beacon asks to be audited, at the rate that was fixed when they were submitted; whether these and no
 * others were; and what became of each by the epoch's verdict cutoff.
 */
export async function checkSampling(
  state: ReplayState,
  epoch: number,
  index: number,
  opened: readonly OpenedReceipt[],
): Promise<{ judged: JudgedReceipt[]; missed: (() => MissedAudit)[] }> {
  const judged: JudgedReceipt[] = []
  const missed: (() => MissedAudit)[] = []
  const draws = new Map<number, Draw | null>()
  for (const one of opened) {
    const { receipt, item } = one
    const known = draws.get(receipt.submission.entry)
    const draw = known === undefined ? await drawOf(state, receipt.submission) : known
    draws.set(receipt.submission.entry, draw)
    const sampled = isDue(one, draw)
    const cutoffHeight = verdictCutoffHeight(epoch, state.rules)
    const inTime = isDecidedBy(state, receipt.fate, cutoffHeight)
    if (sampled && !inTime) missed.push(() => missedAudit(state, receipt, draw, { epoch, cutoffHeight }))
    if (sampled) checkDone(state, index, receipt, inTime)
    else checkUndrawn(state, receipt)
    const canary = await canaryOutcome(state, index, one)
    const charged = chargeOf(state, one)
    const outcome = outcomeOf({
      canary,
      verdict: inTime ? receipt.fate.verdict : null,
      isSuspended: isBeforeSuspension(state, receipt.job.worker, receipt.submission.entry),
      isAssigned: item !== null,
      isRefunded: receipt.job.isRefunded,
      chargeMsat: charged,
      isRepeated: item !== null && isTaken(state, receipt, item),
      isSampled: sampled,
    })
    if (item !== null) takeItem(state, receipt, item, isRefuted(outcome))
    const isRight = canary === null || !refutes(canary, receipt.fate.verdict)
    const auditor = inTime && isRight ? paidAuditor(state, receipt) : null
    judged.push({ ...one, isSampled: sampled, outcome, canary, chargeMsat: charged, auditor })
  }
  return { judged, missed }
}

function missedAudit(
  { genesis }: ReplayState,
  receipt: ReplayedReceipt,
  draw: Draw | null,
  when: Pick<MissedAudit, 'epoch' | 'cutoffHeight'>,
): MissedAudit {
  const { fate, rounds, submission } = receipt
  const first = draw === null ? null : auditorOf(receipt, 0, draw, genesis.auditor)
  const begun = rounds.map(({ auditor }) => auditor)
  return {
    ...when,
    entry: submission.entry,
    receipt: receipt.hex,
    auditors: begun.length === 0 && first !== null ? [hex(first)] : begun,
    lateEntry: fate.verdict === null ? null : fate.entry,
  }
}

/** The known answer decides, whatever the audit said. */
async function canaryOutcome(
  state: ReplayState,
  index: number,
  { known, receipt }: OpenedReceipt,
): Promise<CanaryOutcome | null> {
  const { hex: id, outputDigest: claimed } = receipt
  if (known === null || claimed === null) return null
  // Equal digests are equal bytes: only what differs has to be had.
  if (Buffer.compare(claimed, known) === 0) return 'canary_passed'
  const check = state.findings.at('openings', index)
  const outputs = await readBundle(
    state,
    { rule: 'openings', entry: index },
    receipt,
    claimed,
    `output of ${id}`,
  )
  // Past its retention only what failed is kept; private work has no canaries.
  if (outputs === NOT_SHOWN) return 'canary_passed'
  const expected = await readBlob(state, check, known, `known output for ${id}`)
  if (outputs === null || expected === null) return 'canary_failed'
  const { subnet, model, epoch } = receipt.job
  const found = state.markets.model(subnet, model, epoch)
  assert(found !== null, 'a receipt is taken only where its model is known')
  const { verdict } = compareOutputs(found.model.profile, outputs, expected)
  return verdict === 'pass' ? 'canary_passed' : 'canary_failed'
}

/** The receipt is not at fault: that it was settled without its audit is. */
function checkDone(
  { findings }: ReplayState,
  index: number,
  receipt: ReplayedReceipt,
  inTime: boolean,
): void {
  findings.at('sampling', index)(
    inTime,
    'audit_missed',
    () =>
      `receipt ${receipt.hex} of entry ${receipt.submission.entry} had to be audited, and has no verdict in time`,
  )
}

function checkUndrawn(
  { findings }: ReplayState,
  { rounds: [round], submission, hex: id }: ReplayedReceipt,
): void {
  findings.at('sampling', round?.entry ?? submission.entry)(
    round === undefined,
    'audit_not_drawn',
    () => `receipt ${id} was audited, though the beacon did not ask for it`,
  )
}

function isDue({ receipt, item }: OpenedReceipt, draw: Draw | null): boolean {
  const { submission, position, market, rewardMsat, feeMsat } = receipt
  if (draw === null) return false
  const rate = auditRate({
    rewardMsat: item === null ? feeMsat : rewardMsat,
    unmaturedMsat: submission.unmaturedMsat,
    floor: ratioOf(market.subnet.auditFloor),
  })
  return isSampled({ beacon: draw.beacon, submissionId: submission.id, index: position, rate })
}

function isDecidedBy({ anchored }: ReplayState, { verdict, entry }: Fate, height: number): boolean {
  const anchor = verdict === null ? null : anchored.first(entry)
  return anchor !== null && anchor.height <= height
}

/** Whether an earlier receipt stands for the item: each is paid once. */
function isTaken({ answered }: ReplayState, { job }: ReplayedReceipt, item: number): boolean {
  return answered.get(placeOf(job))?.get(item) ?? false
}

function takeItem(
  { answered }: ReplayState,
  { job }: ReplayedReceipt,
  item: number,
  isRefuted: boolean,
): void {
  const place = placeOf(job)
  const items = answered.get(place) ?? new Map<number, boolean>()
  answered.set(place, items.set(item, items.get(item) === true || !isRefuted))
}

/** By the price of the epoch in which its job was logged. */
function chargeOf(state: ReplayState, { requester, receipt: { job } }: OpenedReceipt): bigint {
  return requester === null ? 0n : chargeMsat(job.units, state.priceAt(job.subnet, job.epoch))
}

/** Who decided it, unless suspended since. */
function paidAuditor(state: ReplayState, { fate, rounds }: ReplayedReceipt): string | null {
  const auditor = rounds.at(-1)?.auditor ?? null
  if (fate.verdict === 'void' || auditor === null) return null
  return isBeforeSuspension(state, auditor, fate.entry) ? null : auditor
}

function isBeforeSuspension(state: ReplayState, worker: string, entry: number): boolean {
  const suspended = lastSuspension(state, worker)
  return suspended !== null && entry < suspended
}
