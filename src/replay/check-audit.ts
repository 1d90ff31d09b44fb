import { z } from 'zod'
import { checkCommitmentsSignature } from '../../compute/work/audit-commitment.ts'
import { decodeCbor } from '../../compute/work/canonical-cbor.ts'
import { hex } from '../../compute/work/hex.ts'
import { bytes32, integer } from '../../compute/work/record.ts'
import type { EntryOf } from '../log/entry.ts'
import { MAX_ENTRY_BYTES } from '../log/entry-bundle.ts'
import { isSuspended } from '../rules/standings.ts'
import { auditorOf, drawOf } from './draw.ts'
import { type Check, readable } from './findings.ts'
import type { ReplayedReceipt, ReplayState } from './replay-state.ts'

const commitmentList = z.array(z.strictObject({ commitment: bytes32, receipt: bytes32, round: integer }))

/** An auditor commits itself, by its signature, to outputs of receipts that it was drawn for. */
export async function checkAudit(state: ReplayState, entry: EntryOf<'audit'>, index: number): Promise<void> {
  const check = state.findings.at('audits', index)
  const { auditor, signature } = entry
  const commitments = readable(check, () =>
    commitmentList.parse(decodeCbor(entry.commitments, { maxBytes: MAX_ENTRY_BYTES })),
  )
  if (commitments === null) return
  check(
    checkCommitmentsSignature({ auditor, commitments, signature }, state.genesis.origin),
    'signature_invalid',
    () => 'the commitments are not signed by the auditor for this log',
  )
  const isFree = !isSuspended(state.standings, hex(auditor))
  check(isFree, 'auditor_suspended', () => `${hex(auditor)} is suspended`)
  for (const { commitment, receipt: id, round } of commitments) {
    const receipt = state.receipts.get(hex(id))
    check(receipt !== undefined, 'receipt_unknown', () => `no receipt ${hex(id)} waits for an audit`)
    if (receipt === undefined) continue
    if (!checkRoundOpens(check, receipt, round)) continue
    await checkDrawn(state, check, receipt, round, auditor)
    receipt.rounds.push({
      auditor: hex(auditor),
      commitment,
      entry: index,
      verdict: null,
      outputs: null,
      isSilent: false,
    })
  }
}

/** Rounds follow one another, each after an inconclusive one, until the receipt is void. */
export function checkRoundOpens(
  check: Check,
  { hex: id, rounds, fate }: ReplayedReceipt,
  round: number,
): boolean {
  return check(
    fate.verdict === null &&
      round === rounds.length &&
      rounds.every(({ verdict }) => verdict === 'inconclusive'),
    'round_not_open',
    () =>
      `round ${round} of ${id} comes after ${rounds.length} rounds that are not all inconclusive, or its last`,
  )
}

/** Who audits is the beacon's choice, not the operator's. */
export async function checkDrawn(
  state: ReplayState,
  check: Check,
  receipt: ReplayedReceipt,
  round: number,
  auditor: Uint8Array,
): Promise<void> {
  const draw = await drawOf(state, receipt.submission)
  if (!check(draw !== null, 'beacon_missing', () => `nothing can draw auditors of ${receipt.hex} yet`)) return
  const drawn = draw === null ? null : auditorOf(receipt, round, draw, state.genesis.auditor)
  check(
    drawn !== null && Buffer.compare(drawn, auditor) === 0,
    'auditor_not_drawn',
    () =>
      `round ${round} of ${receipt.hex} is ${drawn === null ? "nobody's" : hex(drawn)}, not ${hex(auditor)}`,
  )
}
