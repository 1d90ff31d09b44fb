import { z } from 'zod'
import { decodeCbor } from '../../compute/work/canonical-cbor.ts'
import { hex } from '../../compute/work/hex.ts'
import { anyBytes } from '../../compute/work/record.ts'
import { epochOf } from '../rules/epoch.ts'
import { retentionHeight } from '../rules/retention.ts'
import { type Check, type Rule, readable } from './findings.ts'
import type { ReplayedReceipt, ReplayState } from './replay-state.ts'

/** 65,536 receipts of 1,024 bytes, the longest list that an entry can name. */
export const MAX_LIST_BYTES = 65_536 * 1_027 + 8

const byteStrings = z.array(anyBytes)

/** A blob that an entry names; null, and a finding, where it can't be had. */
export async function readBlob(
  state: ReplayState,
  check: Check,
  digest: Uint8Array,
  what: string,
): Promise<Uint8Array | null> {
  const bytes = await state.source.blob(digest)
  check(bytes !== null, 'blob_missing', () => `${what} ${hex(digest)} can't be had`)
  return bytes
}

/** Stands for what nobody has to hold any more, and nobody does: it can't be checked again, and nothing is wrong with it. */
export const PAST_RETENTION = Symbol('past retention')

/** An output bundle of a receipt or of its auditor; null, and a finding, where it has to be held and can't be had. */
export async function readBundle(
  state: ReplayState,
  { rule, entry }: { rule: Rule; entry: number },
  { submission }: ReplayedReceipt,
  digest: Uint8Array,
  what: string,
): Promise<Uint8Array | null | typeof PAST_RETENTION> {
  const { findings, source, anchored, rules } = state
  const bytes = await source.blob(digest)
  const height = anchored.first(submission.entry)?.height ?? null
  const epoch = height === null ? null : epochOf(height, rules)
  if (bytes === null && epoch !== null && source.chain.tipHeight >= retentionHeight(epoch, rules)) {
    findings.skip(rule)
    return PAST_RETENTION
  }
  findings.at(rule, entry)(bytes !== null, 'blob_missing', () => `${what} ${hex(digest)} can't be had`)
  return bytes
}

/** A blob that is a list of byte strings, as those of jobs and of receipts are. */
export async function readByteStrings(
  state: ReplayState,
  check: Check,
  digest: Uint8Array,
  what: string,
): Promise<Uint8Array[] | null> {
  const bytes = await readBlob(state, check, digest, what)
  if (bytes === null) return null
  return readable(check, () => byteStrings.parse(decodeCbor(bytes, { maxBytes: MAX_LIST_BYTES })))
}
