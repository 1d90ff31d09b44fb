import { hex } from '../../compute/work/hex.ts'
import {
  inputCommitment,
  type OriginRecord,
  originCommitment,
  parseOriginRecord,
} from '../../compute/work/job.ts'
import { outputCommitment } from '../../compute/work/receipt.ts'
import type { EntryOf } from '../log/entry.ts'
import { type Opening, parseOpenings } from '../log/opening.ts'
import { parsePartNames } from '../log/parts.ts'
import { parseDataset } from '../subnet/dataset.ts'
import { type Check, readable } from './findings.ts'
import { isPrivate, readBlob } from './read-blob.ts'
import type { ReplayedReceipt, ReplayState } from './replay-state.ts'

/** A receipt with all that was hidden until settlement. */
export interface OpenedReceipt {
  readonly receipt: ReplayedReceipt
  /** Of the open dataset; null for whatever the beacon doesn't assign. */
  readonly item: number | null
  /** Digest of the known output bundle of a canary; null for whatever else. */
  readonly known: Uint8Array | null
  /** Who asked for it; null where nobody did. */
  readonly requester: string | null
  /** When it was answered; null where that opening is missing, false or says that it was before its lease. */
  readonly answeredMs: number | null
  /** Digest of an item's input bundle; null where there is no item. */
  readonly input: Uint8Array | null
}

/**
 * Every receipt of the epoch is opened, in the order of the log and part by part, and each opening is what was
 * committed to.
 */
export async function checkOpenings(
  state: ReplayState,
  entry: EntryOf<'epoch'>,
  index: number,
  receipts: readonly ReplayedReceipt[],
): Promise<OpenedReceipt[]> {
  const { findings, partLength } = state
  const check = findings.at('openings', index)
  const names = await readBlob(state, check, entry.openings, 'openings')
  const parts = names === null ? null : readable(check, () => parsePartNames(names))
  const count = Math.ceil(receipts.length / partLength)
  if (parts !== null)
    check(
      parts.length === count,
      'openings_incomplete',
      () => `${parts.length} parts, ${receipts.length} receipts have ${count}`,
    )
  const opened: OpenedReceipt[][] = []
  for (let part = 0; part < count; part += 1) {
    const some = receipts.slice(part * partLength, (part + 1) * partLength)
    opened.push(await openPart(state, check, parts?.[part] ?? null, part, some))
  }
  return opened.flat()
}

/** `digest`: null where the part is missing, which a finding says already. */
async function openPart(
  state: ReplayState,
  check: Check,
  digest: Uint8Array | null,
  part: number,
  receipts: readonly ReplayedReceipt[],
): Promise<OpenedReceipt[]> {
  const bytes = digest === null ? null : await readBlob(state, check, digest, `part ${part} of the openings`)
  let openings = bytes === null ? null : parseOpenings(bytes)
  const checkWhole = (isWhole: boolean) =>
    check(
      isWhole,
      'openings_incomplete',
      () => `part ${part}: not one opening for each of ${receipts.length} receipts, in order`,
    )
  const next = () => readable(check, () => openings?.next().value ?? null)
  const opened: OpenedReceipt[] = []
  for (const receipt of receipts) {
    const opening = next()
    const isNext = opening !== null && hex(opening.job) === receipt.job.hex
    // Behind a gap every opening is another receipt’s: one fault is one finding.
    if (!checkWhole(isNext || openings === null)) openings = null
    const origin = isNext ? openReceipt(check, receipt, opening) : null
    if (!isNext || origin === null)
      opened.push({ receipt, item: null, known: null, requester: null, answeredMs: null, input: null })
    else {
      const item = origin.kind === 'dataset' ? await itemOf(state, check, receipt, opening, origin) : null
      check(
        origin.kind !== 'canary' || !isPrivate(state, receipt.job),
        'canary_private',
        () => `${receipt.hex} is a canary in a private subnet, where nobody can recheck it`,
      )
      const known = origin.kind === 'canary' ? origin.known : null
      const requester = origin.kind === 'request' ? origin.requester : null
      const answeredMs = answeredAt(check, receipt, opening)
      // A copy, as what else is kept: no part stays longer than it is read.
      const input = item === null ? null : Buffer.from(opening.input)
      opened.push({ receipt, item, known, requester, answeredMs, input })
    }
  }
  checkWhole(next() === null)
  return opened
}

function openReceipt(check: Check, receipt: ReplayedReceipt, opening: Opening): OriginRecord | null {
  const { job, hex: id } = receipt
  const isTrue = [
    hex(inputCommitment(opening.inputSalt, opening.input)) === job.input,
    hex(originCommitment(opening.originSalt, opening.origin)) === job.origin,
    hex(outputCommitment(opening.outputSalt, opening.output)) === receipt.output,
  ].every(Boolean)
  if (
    !check(isTrue, 'opening_mismatch', () => `the opening of ${id} is not what job and receipt committed to`)
  )
    return null
  // A copy: an audit that comes late must not keep the openings of its whole epoch.
  receipt.outputDigest = Buffer.from(opening.output)
  return readable(check, () => parseOriginRecord(opening.origin))
}

/** On the operator's word: only that no answer comes before its lease can be checked. */
function answeredAt(check: Check, { job, hex: id }: ReplayedReceipt, { answeredMs }: Opening): number | null {
  const isLater = check(
    answeredMs >= job.leasedMs,
    'answered_early',
    () => `${id} is said to be answered ${job.leasedMs - answeredMs} ms before its lease`,
  )
  return isLater ? answeredMs : null
}

/** The item's number where the dataset really has this input there. */
async function itemOf(
  state: ReplayState,
  check: Check,
  receipt: ReplayedReceipt,
  { input }: Opening,
  { dataset, item }: OriginRecord & { kind: 'dataset' },
): Promise<number> {
  const name = hex(dataset)
  const { subnet, model } = receipt.job
  check(
    state.markets.withDataset(subnet, model).some((one) => Buffer.compare(one.dataset.list, dataset) === 0),
    'dataset_unknown',
    () => `${name}, the dataset of ${receipt.hex}, is none of ${subnet}'s for this model`,
  )
  const inputs = await inputsOf(state, check, dataset)
  check(
    inputs !== null && Buffer.compare(inputs.subarray(item * 32, (item + 1) * 32), input) === 0,
    'item_mismatch',
    () => `the input of ${receipt.hex} is not item ${item} of dataset ${name}`,
  )
  return item
}

/** Read once: as one array, a dataset of a million items takes 32 MB. */
async function inputsOf(state: ReplayState, check: Check, dataset: Uint8Array): Promise<Uint8Array | null> {
  const name = hex(dataset)
  const known = state.datasets.get(name)
  if (known !== undefined) return known
  const list = await readBlob(state, check, dataset, 'dataset list')
  const inputs = list === null ? null : readable(check, () => Buffer.concat(parseDataset(list)))
  state.datasets.set(name, inputs)
  return inputs
}
