import { hex } from '../../compute/work/hex.ts'
import { auditorOfRound } from '../rules/audit-rounds.ts'
import { auditorsAt, auditorsOf } from '../rules/auditors.ts'
import { beaconHeight } from '../rules/epoch.ts'
import type { ReplayedReceipt, ReplayedSubmission, ReplayState } from './replay-state.ts'

/** What Bitcoin draws a submission's audits from. */
export interface Draw {
  readonly beacon: Uint8Array
  /** The block whose hash the beacon is. */
  readonly height: number
  /** Who may audit it, by the log that the submission's own anchor committed. */
  readonly candidates: Uint8Array[]
}

/** Null while anchor or beacon is not final. */
export async function drawOf(
  state: ReplayState,
  { entry, worker }: ReplayedSubmission,
): Promise<Draw | null> {
  const { anchored, rules, source } = state
  const anchor = anchored.first(entry)
  if (anchor === null) return null
  const height = beaconHeight(anchor.height, rules)
  if (source.chain.tipHeight < height + rules.finalDepth - 1) return null
  const beacon = await source.chain.blockHash(height)
  return beacon === null ? null : { beacon, height, candidates: candidatesOf(state, worker, anchor.size) }
}

function candidatesOf(
  { admissions, genesis: { auditor: operator }, workers }: ReplayState,
  author: Uint8Array,
  size: number,
): Uint8Array[] {
  const registered = workers.get(hex(author))
  if (registered === undefined) return []
  const own = workers.get(hex(operator))
  const auditors = auditorsAt(admissions, {
    size,
    operator: own !== undefined && own.entry < size ? own : null,
  })
  return auditorsOf(registered, { auditors, operator })
}

/** The key drawn in a round; null when there is nobody left. */
export function auditorOf(
  { submission, position }: ReplayedReceipt,
  round: number,
  draw: Draw,
  operator: Uint8Array,
) {
  const { beacon, candidates } = draw
  return auditorOfRound({
    operator,
    beacon,
    candidates,
    submissionId: submission.id,
    index: position,
    round,
  })
}
