/** Logs that say something else than what happened: an operator's own, that it signs as it signs any. */
import { z } from 'zod'
import { signCommitments } from '../../../compute/work/audit-commitment.ts'
import { decodeCbor, encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { hex } from '../../../compute/work/hex.ts'
import { parseReceipt } from '../../../compute/work/receipt.ts'
import { anyBytes, bytes32, integer } from '../../../compute/work/record.ts'
import {
  encodeHeader,
  parseHeader,
  type SubmissionHeader,
  signSubmission,
} from '../../../compute/work/submission.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { freshAddress } from '../../../src/demo/site.ts'
import { ACCRUAL_LISTS } from '../../../src/log/accrual-table.ts'
import { type Entry, type EntryOf, encodeEntry, parseEntry, type StatusOf } from '../../../src/log/entry.ts'
import { encodePart, putParts } from '../../../src/log/parts.ts'
import { type Payee, parsePayees } from '../../../src/log/payees.ts'
import type { Rule } from '../../../src/replay/findings.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import type { Peer } from '../coordinator/peer.ts'
import { ORIGIN } from '../coordinator/site.ts'
import { entriesOf, find, inOrder, withBlob } from './recorded-log.ts'

/** `entry`: where it shows; null: at whichever entry chance has it. */
export interface ChangedLog {
  readonly source: ReplaySource
  readonly entry: number | null
}

/** What differs, the rule and code that name it, and how it comes about. */
export type Difference = [
  what: string,
  expected: `${Rule}: ${string}`,
  change: (log: ReplaySource, peers: readonly Peer[]) => Promise<ChangedLog>,
]

export async function withBytes(
  source: ReplaySource,
  index: number,
  bytes: Uint8Array,
): Promise<ReplaySource> {
  const entries = (await entriesOf(source)).with(index, bytes)
  return { ...source, entries: () => inOrder(entries) }
}

/** Another entry in the place of the first of that kind that `isMeant`. */
export async function changeEntry<Kind extends Entry['kind']>(
  log: ReplaySource,
  kind: Kind,
  change: (entry: EntryOf<Kind>) => Entry,
  isMeant?: (entry: EntryOf<Kind>) => boolean,
): Promise<ChangedLog> {
  const { index, entry } = await find(log, kind, isMeant)
  return { source: await withBytes(log, index, encodeEntry(change(entry))), entry: index }
}

/** Of an epoch's rewards. */
export function changeMaturity(
  log: ReplaySource,
  change: (entry: StatusOf<'epoch'>) => Entry,
): Promise<ChangedLog> {
  return changeEntry(
    log,
    'status',
    (entry) => (entry.subject === 'epoch' ? change(entry) : entry),
    ({ subject }) => subject === 'epoch',
  )
}

/** Of an auditor's admission. */
export function changeAdmission(
  log: ReplaySource,
  change: (entry: StatusOf<'auditor'>) => Entry,
): Promise<ChangedLog> {
  return changeEntry(
    log,
    'status',
    (entry) => (entry.subject === 'auditor' ? change(entry) : entry),
    ({ subject }) => subject === 'auditor',
  )
}

/** The first entry of a kind once more, in the place of the second. */
export async function repeatEntry(log: ReplaySource, kind: Entry['kind']): Promise<ChangedLog> {
  const first = await find(log, kind)
  const entries = await entriesOf(log)
  const second = entries.findIndex((bytes, i) => i > first.index && parseEntry(bytes).kind === kind)
  return { source: await withBytes(log, second, encodeEntry(first.entry)), entry: second }
}

/** The first entry of a kind once more, at the end of the log. */
export async function appendEntry(log: ReplaySource, kind: Entry['kind']): Promise<ChangedLog> {
  const { entry } = await find(log, kind)
  const entries = await entriesOf(log)
  return {
    source: { ...log, entries: () => inOrder([...entries, encodeEntry(entry)]) },
    entry: entries.length,
  }
}

/** Entries that never were: in their places stand accounts that nobody uses. */
export async function without(
  log: ReplaySource,
  isLeftOut: (entry: Entry, index: number) => boolean,
): Promise<ReplaySource> {
  const entries = (await entriesOf(log)).map((bytes, i) =>
    isLeftOut(parseEntry(bytes), i) ? unusedAccount(i) : bytes,
  )
  return { ...log, entries: () => inOrder(entries) }
}

function unusedAccount(index: number): Uint8Array {
  const [address, refund] = [freshAddress(), freshAddress()]
  return encodeEntry({ v: 1, kind: 'requester', requester: `unused-${index}`, address, refund })
}

const amount = z.union([z.bigint(), z.number()]).transform(BigInt)
const table = z.looseObject({
  compute: z.array(z.looseObject({ msat: amount })),
  fees: z.array(z.looseObject({ msat: amount, shareMsat: amount })),
  receipts: z.array(z.looseObject({ receipt: z.string(), reason: z.string() })),
})
const members = z.array(z.unknown())
const names = z.array(bytes32)
const records = z.array(z.record(z.string(), z.unknown()))

export function changeTable(
  log: ReplaySource,
  change: (value: z.infer<typeof table>) => Record<string, unknown>,
): Promise<ChangedLog> {
  return changeEpoch(log, 'accruals', async ({ accruals }, put) => {
    const head = Object(await readList(log, accruals))
    const whole = { ...head }
    for (const name of ACCRUAL_LISTS) whole[name] = await membersOf(log, head[name])
    const changed = change(table.parse(whole))
    const split: Record<string, unknown> = { ...changed }
    for (const name of ACCRUAL_LISTS) split[name] = await putParts(members.parse(changed[name]), put)
    return put(encodeCbor(split))
  })
}

export function changeOpenings(log: ReplaySource, change: (openings: z.infer<typeof records>) => unknown[]) {
  return changeEpoch(log, 'openings', async ({ openings }, put) => {
    const changed = change(records.parse(await membersOf(log, names.parse(await readList(log, openings)))))
    return put(encodePart(await putParts(changed, put)))
  })
}

/** The names of the parts of one list of the first epoch that has several. */
export function changeParts(
  log: ReplaySource,
  list: 'openings' | (typeof ACCRUAL_LISTS)[number],
  change: (parts: Uint8Array[], put: (members: unknown[]) => Uint8Array) => Uint8Array[],
): Promise<ChangedLog> {
  const changed = (parts: unknown, put: (blob: Uint8Array) => Uint8Array) =>
    change(names.parse(parts), (members) => put(encodePart(members)))
  if (list === 'openings')
    return changeEpoch(log, list, async ({ openings }, put) =>
      put(encodePart(changed(await readList(log, openings), put))),
    )
  return changeEpoch(log, 'accruals', async ({ accruals }, put) => {
    const head = Object(await readList(log, accruals))
    return put(encodeCbor({ ...head, [list]: changed(head[list], put) }))
  })
}

/** Lists of the first epoch: `change` puts them anew. */
async function changeEpoch(
  log: ReplaySource,
  key: 'accruals' | 'openings',
  change: (entry: EntryOf<'epoch'>, put: (blob: Uint8Array) => Uint8Array) => Promise<Uint8Array>,
): Promise<ChangedLog> {
  const { index, entry } = await find(log, 'epoch')
  const blobs = new Map<string, Uint8Array>()
  const digest = await change(entry, (blob) => {
    const name = sha256(blob)
    blobs.set(hex(name), blob)
    return name
  })
  const source = { ...log, blob: async (name: Uint8Array) => blobs.get(hex(name)) ?? log.blob(name) }
  return { source: await withBytes(source, index, encodeEntry({ ...entry, [key]: digest })), entry: index }
}

export async function membersOf(log: ReplaySource, parts: readonly Uint8Array[]): Promise<unknown[]> {
  const lists = await Promise.all(parts.map((part) => readList(log, part)))
  return lists.flatMap((list) => members.parse(list))
}

/** Of the first several verdicts that say so, by that auditor if it matters. */
export function changeVerdicts(
  log: ReplaySource,
  change: (verdicts: z.infer<typeof records>) => unknown[],
  said = 'pass',
  by: Uint8Array | null = null,
): Promise<ChangedLog> {
  const isMeant = async ({ verdicts, count }: EntryOf<'verdict'>) =>
    count > 1 &&
    records
      .parse(await readList(log, verdicts))
      .some(
        ({ verdict, auditor }) =>
          verdict === said && (by === null || Buffer.compare(bytes32.parse(auditor), by) === 0),
      )
  return changeBlob(log, 'verdict', 'verdicts', (value) => change(records.parse(value)), isMeant)
}

export async function changePayees(
  log: ReplaySource,
  change: (payees: Payee[]) => Payee[],
): Promise<ChangedLog> {
  return changeBlob(log, 'payout', 'payees', (value) => change(parsePayees(value)))
}

const hasSeveral = ({ header }: EntryOf<'submission'>) => parseHeader(header).count > 1

export function changeReceipts(
  log: ReplaySource,
  change: (receipts: Uint8Array[]) => Uint8Array[],
): Promise<ChangedLog> {
  const parse = (value: unknown) => z.array(anyBytes).parse(value)
  return changeBlob(log, 'submission', 'receipts', (value) => change(parse(value)), hasSeveral)
}

/** The first refund names other jobs; `submitted` is one that has a receipt by then. */
export async function changeRefunded(
  log: ReplaySource,
  change: (refunded: Uint8Array[], submitted: Uint8Array) => Uint8Array[],
): Promise<ChangedLog> {
  const { entry } = await find(log, 'submission')
  const [receipt] = z.array(anyBytes).parse(await readList(log, entry.receipts))
  const { job } = parseReceipt(receipt ?? new Uint8Array())
  return changeBlob(log, 'refund', 'jobs', (value) => change(z.array(anyBytes).parse(value), job))
}

/** A blob that an entry names, decoded, changed and named anew, with the counts and sums that go with it. */
async function changeBlob<Kind extends Entry['kind']>(
  log: ReplaySource,
  kind: Kind,
  key: keyof EntryOf<Kind>,
  change: (value: unknown) => unknown,
  isMeant?: (entry: EntryOf<Kind>) => boolean | Promise<boolean>,
): Promise<ChangedLog> {
  const { index, entry } = await find(log, kind, isMeant)
  const value = change(await readList(log, bytes32.parse(entry[key])))
  const { source, digest } = withBlob(log, value)
  const counted = 'count' in entry && Array.isArray(value) ? { count: value.length } : {}
  const summed = kind === 'payout' ? { totalSats: sumSats(parsePayees(value)) } : {}
  const next = { ...entry, [key]: digest, ...counted, ...summed }
  return { source: await withBytes(source, index, encodeEntry(next)), entry: index }
}

/** The header of the first submission of several receipts, changed and signed again by its worker. */
export async function changeHeader(
  log: ReplaySource,
  peers: readonly Peer[],
  change: Partial<SubmissionHeader>,
): Promise<ChangedLog> {
  const changed = (entry: EntryOf<'submission'>) => {
    const before = parseHeader(entry.header)
    const header = encodeHeader({ ...before, ...change })
    return { ...entry, header, signature: signSubmission(header, ORIGIN, secretKeyOf(peers, before.worker)) }
  }
  return changeEntry(log, 'submission', changed, hasSeveral)
}

const commitmentList = z.array(z.strictObject({ commitment: bytes32, receipt: bytes32, round: integer }))

/** The commitments of an audit, changed and signed by whom `signer` says. */
export async function changeAudit(
  log: ReplaySource,
  peers: readonly Peer[],
  change: (commitments: z.infer<typeof commitmentList>) => z.infer<typeof commitmentList>,
  signer: (auditor: Uint8Array) => Uint8Array = (auditor) => auditor,
): Promise<ChangedLog> {
  return changeEntry(log, 'audit', (entry) => {
    const value = decodeCbor(entry.commitments, { maxBytes: 2 ** 16 })
    const commitments = change(commitmentList.parse(value))
    const auditor = signer(entry.auditor)
    const signature = signCommitments(commitments, ORIGIN, secretKeyOf(peers, auditor))
    return { ...entry, auditor, commitments: encodeCbor(commitments), signature }
  })
}

async function readList(log: ReplaySource, digest: Uint8Array): Promise<unknown> {
  const bytes = await log.blob(digest)
  if (bytes === null) throw new Error('no such blob')
  return decodeCbor(bytes, { maxBytes: 2 ** 24 })
}

function secretKeyOf(peers: readonly Peer[], key: Uint8Array): Uint8Array {
  const peer = peers.find((one) => Buffer.compare(one.key, key) === 0)
  if (peer === undefined) throw new Error('nobody here has this key')
  return peer.secretKey
}

function sumSats(payees: readonly Payee[]): bigint {
  return payees.reduce((sum, { sats }) => sum + sats, 0n)
}
