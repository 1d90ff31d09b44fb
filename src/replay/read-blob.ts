import { parseByteStrings } from '../../compute/work/byte-strings.ts'
import { hex } from '../../compute/work/hex.ts'
import { MAX_LIST_BYTES } from '../../compute/work/submission.ts'
import { epochOf } from '../rules/epoch.ts'
import { retentionHeight } from '../rules/retention.ts'
import { type Check, type Rule, readable } from './findings.ts'
import type { ReplayedJob, ReplayedReceipt, ReplayState } from './replay-state.ts'

/** A blob that an entry names; null, and a finding, where it can't be had. */
export async function readBlob(
  state: ReplayState,
  check: Check,
  digest: Uint8Array,
  what: string,
  maxBytes?: number,
): Promise<Uint8Array | null> {
  const bytes = await state.source.blob(digest, maxBytes)
  check(bytes !== null, 'blob_missing', () => `${what} ${hex(digest)} can't be had`)
  return bytes
}

/** Stands for what nobody has to show, past its retention or private: it can't be checked again, and nothing is wrong with it. */
export const NOT_SHOWN = Symbol('not shown')

/** An output bundle of a receipt or of its auditor; null, and a finding, where it has to be held and can't be had. */
export async function readBundle(
  state: ReplayState,
  { rule, entry }: { rule: Rule; entry: number },
  { job, submission }: ReplayedReceipt,
  digest: Uint8Array,
  what: string,
): Promise<Uint8Array | null | typeof NOT_SHOWN> {
  const { findings, source, anchored, rules } = state
  const bytes = await source.blob(digest)
  if (bytes === null && isPrivate(state, job)) {
    findings.skip(rule)
    state.privateWork.comparisons += 1
    return NOT_SHOWN
  }
  const height = anchored.first(submission.entry)?.height ?? null
  const epoch = height === null ? null : epochOf(height, rules)
  if (bytes === null && epoch !== null && source.chain.tipHeight >= retentionHeight(epoch, rules)) {
    findings.skip(rule)
    return NOT_SHOWN
  }
  findings.at(rule, entry)(bytes !== null, 'blob_missing', () => `${what} ${hex(digest)} can't be had`)
  return bytes
}

/** Whether the job was leased under a definition that shows its bytes to auditors alone. */
export function isPrivate({ markets }: ReplayState, { subnet, model, epoch }: ReplayedJob): boolean {
  return markets.model(subnet, model, epoch)?.subnet.privacy === 'private'
}

/** A blob that is a list of byte strings, as those of jobs and of receipts are: views of it. */
export async function readByteStrings(
  state: ReplayState,
  check: Check,
  digest: Uint8Array,
  what: string,
): Promise<Uint8Array[] | null> {
  const bytes = await readBlob(state, check, digest, what)
  return bytes === null ? null : readable(check, () => parseByteStrings(bytes, MAX_LIST_BYTES))
}
