import { verdictCutoffHeight } from '../rules/epoch.ts'
import { auditRate, isSampled } from '../rules/sampling.ts'
import type { ReceiptOutcome } from '../rules/settle-epoch.ts'
import type { OpenedReceipt } from './check-openings.ts'
import { type Draw, drawOf } from './draw.ts'
import type { Fate, ReplayState } from './replay-state.ts'

/** A receipt whose audit the beacon asked for and the operator didn't get done in time. */
export interface MissedAudit {
  /** The submission's. */
  readonly entry: number
  readonly receipt: string
}

export interface JudgedReceipt extends OpenedReceipt {
  readonly isSampled: boolean
  readonly outcome: ReceiptOutcome
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
  opened: readonly OpenedReceipt[],
): Promise<{ judged: JudgedReceipt[]; missed: MissedAudit[] }> {
  const judged: JudgedReceipt[] = []
  const missed: MissedAudit[] = []
  const draws = new Map<number, Draw | null>()
  for (const one of opened) {
    const { receipt, item } = one
    const known = draws.get(receipt.submission.entry)
    const draw = known === undefined ? await drawOf(state, receipt.submission) : known
    draws.set(receipt.submission.entry, draw)
    const sampled = isDue(one, draw)
    const inTime = isDecidedBy(state, receipt.fate, verdictCutoffHeight(epoch, state.rules))
    const { entry } = receipt.submission
    if (sampled) {
      const check = state.findings.at('sampling', entry)
      if (
        !check(
          inTime,
          'audit_missed',
          () => `receipt ${receipt.hex} had to be audited, and has no verdict in time`,
        )
      )
        missed.push({ entry, receipt: receipt.hex })
    } else {
      const audited = receipt.rounds[0]
      state.findings.at('sampling', audited?.entry ?? entry)(
        audited === undefined,
        'audit_not_drawn',
        () => `receipt ${receipt.hex} was audited, though the beacon did not ask for it`,
      )
    }
    const isRepeated = item !== null && !isFirst(state, one, item)
    const outcome = outcomeOf(one, { inTime, isRepeated, sampled })
    const auditor =
      inTime && receipt.fate.verdict !== 'void' ? (receipt.rounds.at(-1)?.auditor ?? null) : null
    judged.push({ ...one, isSampled: sampled, outcome, auditor })
  }
  return { judged, missed }
}

function isDue({ receipt, item }: OpenedReceipt, draw: Draw | null): boolean {
  const { submission, position, floor, rewardMsat } = receipt
  if (draw === null) return false
  const rate = auditRate({
    rewardMsat: item === null ? 0n : rewardMsat,
    unmaturedMsat: submission.unmaturedMsat,
    floor,
  })
  return isSampled({ beacon: draw.beacon, submissionId: submission.id, index: position, rate })
}

function isDecidedBy({ anchored }: ReplayState, { verdict, entry }: Fate, height: number): boolean {
  const anchor = verdict === null ? null : anchored.first(entry)
  return anchor !== null && anchor.height <= height
}

/** Each item is paid once: to its first receipt that was not refuted. Remembers this one among them. */
function isFirst({ answered }: ReplayState, { receipt }: OpenedReceipt, item: number): boolean {
  const { subnet, model } = receipt.job
  const place = `${subnet}/${Buffer.from(model).toString('hex')}`
  const items = answered.get(place) ?? new Map<number, Fate[]>()
  answered.set(place, items)
  const earlier = items.get(item) ?? []
  items.set(item, [...earlier, receipt.fate])
  return earlier.every(({ verdict }) => verdict === 'fail' || verdict === 'void')
}

/** Only what the beacon assigned earns the subsidy, each item once, and nothing that failed its audit (DESIGN §8). */
function outcomeOf(
  { receipt: { fate }, item }: OpenedReceipt,
  { inTime, isRepeated, sampled }: { inTime: boolean; isRepeated: boolean; sampled: boolean },
): ReceiptOutcome {
  if (inTime && fate.verdict === 'fail') return 'fail'
  if (inTime && fate.verdict === 'void') return 'inconclusive'
  if (item === null) return 'unassigned'
  if (isRepeated) return 'repeated'
  if (!sampled) return 'unsampled'
  return inTime && fate.verdict === 'pass' ? 'pass' : 'operator_missed'
}
