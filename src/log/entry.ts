/** Entries of the log (docs/PROTOCOL.md §4): what each kind holds, one encoder, one strict parser. */
import { z } from 'zod'
import { NETWORK_NAMES } from '../../anchor/network.ts'
import { MAX_SIGNATURE_BYTES } from '../../anchor/signed-message.ts'
import { encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { hex } from '../../compute/work/hex.ts'
import { anyBytes, bytes32, bytesOf, integer, parseRecord, plainName } from '../../compute/work/record.ts'
import { MAX_FAILS } from '../rules/max-fails.ts'
import { MAX_ENTRY_BYTES } from './entry-bundle.ts'
import { money } from './money.ts'
import { isKeyName } from './note-key.ts'

/** Stands in every checkpoint and proof. */
export const MAX_ORIGIN_LENGTH = 255
/** BIP-173 allows 90 characters. */
const MAX_ADDRESS_LENGTH = 90
const MAX_ACCOUNT_LENGTH = 128
/** A sentence or two for the public. */
export const MAX_REASON_LENGTH = 500
/** Twice the longest origin, and the lines of numbers and base64 between. */
export const MAX_CHECKPOINT_LENGTH = 1_024
/** Keys of 34 bytes each: an entry holds no more. The rule names the first. */
export const MAX_FROZEN_WORKERS = 1_000
/** As many as a payout has coins. */
const MAX_SPENDS = 200

const bytes64 = bytesOf(64)
const countOf = integer.min(1)
const uint32 = integer.max(0xffff_ffff)
/** Bitcoin's own heights have 32 bits. */
const blocks = uint32.min(1)
export const address = z.string().min(1).max(MAX_ADDRESS_LENGTH)
const reason = z.string().min(1).max(MAX_REASON_LENGTH)

/** `txid` in internal byte order. */
export const coin = z.strictObject({ txid: bytes32, vout: uint32, sats: money })

/** The SHA-256 that names a blob. */
const blob = bytes32

/** Whoever asks without a key; no account can be called so. */
export const ANONYMOUS = 'anonymous'

export const requesterName = plainName.refine((name) => name !== ANONYMOUS)

/** Verdicts: `entry` is the one that says it. */
const evidence = z.array(z.strictObject({ entry: integer, receipt: bytes32 })).max(MAX_FAILS)

function isAscending(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || number > (numbers[i - 1] ?? 0))
}

function entryOf<Kind extends string, Fields extends z.ZodRawShape>(kind: Kind, fields: Fields) {
  return z.strictObject({ v: z.literal(1), kind: z.literal(kind), ...fields })
}

/** The log that a new one takes over from, closed by a broken seal, as far as its last final anchor. */
export const succession = z.strictObject({
  /** Ed25519, of the old log's checkpoints. */
  logKey: bytes32,
  /** The anchored one, a signed note. */
  checkpoint: z.string().max(MAX_CHECKPOINT_LENGTH),
  anchor: z.strictObject({ index: uint32, txid: bytes32, height: integer }),
  balances: blob,
})

export type Succession = z.output<typeof succession>

const entrySchema = z.discriminatedUnion('kind', [
  /** The log's first entry: all that is fixed for ever. */
  entryOf('genesis', {
    network: z.enum(NETWORK_NAMES),
    method: z.enum(['dual', 'taproot']),
    origin: z.string().max(MAX_ORIGIN_LENGTH).refine(isKeyName),
    /** Of every seal, x-only. */
    internalKey: bytes32,
    /** Ed25519, of the checkpoints. */
    logKey: bytes32,
    /** The operator's own. */
    auditor: bytes32,
    treasury: address,
    /** The first. */
    seal: coin,
    epoch: z.strictObject({
      startHeight: uint32,
      blocks,
      verdictBlocks: blocks,
      finalDepth: blocks,
      beaconDelay: blocks,
      maturityBlocks: blocks,
      auditRoundBlocks: blocks,
      suspensionBlocks: blocks,
    }),
    subsidy: z.strictObject({ initialMsat: money, halvingEpochs: countOf, capMsat: money }),
    auditBasisPoints: integer.max(500),
    /** Of the reserve, never promised to an epoch: it pays the miners of payouts. */
    feeReserveSats: money,
    succeeds: z.nullable(succession),
  }),
  entryOf('subnet', { name: plainName, definition: blob }),
  /** For `epoch` and those after it, until the next one. `unserved`: units that the operator had to turn away, by its word. */
  entryOf('price', { subnet: plainName, epoch: integer, msat: money, unserved: money }),
  /** `address`: of its deposits alone. `refund`: where what is left is paid back. */
  entryOf('requester', { requester: requesterName, address, refund: address }),
  /** `signature`: over key, address and threshold, as the registration was signed. */
  entryOf('worker', { worker: bytes32, address, thresholdSats: money, signature: bytes64 }),
  /** `replaces`: the entry that declared the old address, whose key signed (BIP-322, a serialised witness stack). */
  entryOf('address', {
    worker: bytes32,
    address,
    thresholdSats: money,
    replaces: integer,
    expiryHeight: integer,
    signature: anyBytes.refine(({ length }) => length <= MAX_SIGNATURE_BYTES, 'too long'),
  }),
  /** `height`: of the block that has the coin. */
  entryOf('deposit', { account: z.string().min(1).max(MAX_ACCOUNT_LENGTH), height: integer, ...coin.shape }),
  entryOf('budget', { epoch: integer, msat: money }),
  /**
   * Logged before they are leased, at `leasedMs` on the coordinator's clock. `root`: as a receipt tree's, over job ids;
   * `jobs`: the list of job records.
   */
  entryOf('jobs', {
    worker: bytes32,
    epoch: integer,
    leasedMs: integer,
    count: countOf,
    root: bytes32,
    jobs: blob,
  }),
  /** Jobs that bought nothing: they were given back, or never submitted. `jobs`: the list of their ids. */
  entryOf('refund', { count: countOf, jobs: blob }),
  /** `receipts`: the list of receipts. */
  entryOf('submission', { header: anyBytes, signature: bytes64, receipts: blob }),
  /** `commitments`: the signed CBOR list of `{commitment, receipt, round}`. */
  entryOf('audit', { auditor: bytes32, commitments: anyBytes, signature: bytes64 }),
  entryOf('verdict', { verdicts: blob, count: countOf }),
  z.discriminatedUnion('subject', [
    entryOf('status', {
      subject: z.literal('epoch'),
      epoch: integer,
      status: z.literal('matured'),
      height: integer,
    }),
    /** The operator's decision, and why. */
    entryOf('status', {
      subject: z.literal('auditor'),
      worker: bytes32,
      status: z.enum(['admitted', 'withdrawn']),
      reason,
    }),
    /** What was unmatured in the log that this one succeeds. */
    entryOf('status', { subject: z.literal('inheritance'), status: z.literal('matured'), height: integer }),
    /** `score`: in 2^-32 nats. `height`: of return. */
    entryOf('status', {
      subject: z.literal('worker'),
      worker: bytes32,
      status: z.enum(['good', 'held', 'suspended', 'returned']),
      score: integer,
      evidence,
      height: integer.nullable(),
    }),
    /** `workers`: who failed together. */
    entryOf('status', {
      subject: z.literal('model'),
      subnet: plainName,
      model: blob,
      status: z.enum(['frozen', 'recalibrated', 'upheld']),
      workers: z.array(bytes32).max(MAX_FROZEN_WORKERS),
    }),
    /** An auditor is withdrawn by rule: the known answers of these receipts refute its verdicts. */
    entryOf('status', {
      subject: z.literal('contradiction'),
      worker: bytes32,
      status: z.literal('withdrawn'),
      evidence: evidence.min(1),
    }),
  ]),
  /** All that the worker had unmatured. `status`: the entry that suspended it. */
  entryOf('forfeit', { worker: bytes32, status: integer, msat: money, evidence: evidence.min(1) }),
  /** `height`: at which the epoch was settled. `blockHash`: of its verdict cutoff, final by then. */
  entryOf('epoch', {
    epoch: integer,
    accruals: blob,
    openings: blob,
    height: integer,
    blockHash: bytes32,
    computeMsat: money,
    auditMsat: money,
    feesMsat: money,
    returnedMsat: money,
  }),
  /** `height`: the tip at which it was planned, which says whose address is which. `input`: the pinned one. */
  entryOf('payout', {
    payout: integer,
    height: integer,
    input: coin,
    payees: blob,
    count: countOf,
    totalSats: money,
  }),
  /**
   * The payout can't be made any more: each of `spends` has spent coins of its. `spentSats`: what the treasury
   * held by the books of all that they spent. `paid`: positions of the payees whom they pay.
   */
  entryOf('void', {
    payout: integer,
    spends: z
      .array(z.strictObject({ txid: bytes32, height: integer }))
      .min(1)
      .max(MAX_SPENDS)
      .refine((spends) => new Set(spends.map(({ txid }) => hex(txid))).size === spends.length),
    spentSats: money,
    paid: z.array(integer).refine(isAscending),
  }),
])

export type Entry = z.output<typeof entrySchema>
export type EntryOf<Kind extends Entry['kind']> = Extract<Entry, { kind: Kind }>
type Status = EntryOf<'status'>
export type StatusOf<Subject extends Status['subject']> = Extract<Status, { subject: Subject }>

export class EntryError extends Error {
  override readonly name = 'EntryError'
  readonly code = 'entry_malformed'

  constructor(detail: string, cause?: unknown) {
    super(`entry: ${detail}`, { cause })
  }
}

/** Throws EntryError where parseEntry would: nothing is logged that can't be read back. */
export function encodeEntry(entry: Entry): Uint8Array {
  const checked = entrySchema.safeParse(entry)
  if (!checked.success) throw new EntryError(z.prettifyError(checked.error), checked.error)
  const bytes = encodeCbor(entry)
  if (bytes.length > MAX_ENTRY_BYTES)
    throw new EntryError(`${bytes.length} bytes, at most ${MAX_ENTRY_BYTES}`)
  return bytes
}

export function parseEntry(bytes: Uint8Array): Entry {
  return parseRecord(entrySchema, bytes, MAX_ENTRY_BYTES, (detail, cause) => new EntryError(detail, cause))
}
