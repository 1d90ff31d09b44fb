import assert from 'node:assert/strict'
import { compareOutputs } from '../../compute/compare/compare-outputs.ts'
import { auditCommitment, checkCommitmentsSignature } from '../../compute/work/audit-commitment.ts'
import { encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { hex } from '../../compute/work/hex.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import type { Books } from './books.ts'
import { record } from './books.ts'
import { openHolds } from './holds.ts'
import { MAX_LEASED_INPUT_BYTES } from './lease-drafts.ts'
import type { Market } from './market.ts'
import { RefusedError } from './refused-error.ts'
import type { StandingDesk } from './standings.ts'

export interface AuditLease {
  readonly receipt: Uint8Array
  readonly round: number
  readonly job: Uint8Array
  readonly salt: Uint8Array
  readonly inputs: Uint8Array
}

export interface AuditCommitment {
  readonly commitment: Uint8Array
  readonly receipt: Uint8Array
  readonly round: number
}

interface AuditReveal {
  readonly receipt: Uint8Array
  readonly round: number
  readonly salt: Uint8Array
  /** The auditor's own output bundle; null when it could not run the job. */
  readonly outputs: Uint8Array | null
}

type Verdict = 'pass' | 'fail' | 'inconclusive'

/** One line of a `verdict` entry's blob: enough for anyone to judge again. */
export interface VerdictRecord {
  readonly auditor: Uint8Array
  readonly outputs: Uint8Array | null
  readonly reason: string
  readonly receipt: Uint8Array
  readonly round: number
  readonly salt: Uint8Array | null
  readonly verdict: Verdict
}

export interface AuditDesk {
  lease(auditor: Uint8Array, max: number): AuditLease[]
  /** Logs what the auditor commits itself to, before it can see the worker's output. */
  commit(auditor: Uint8Array, commitments: readonly AuditCommitment[], signature: Uint8Array): number
  reveal(auditor: Uint8Array, reveals: readonly AuditReveal[]): { receipt: Uint8Array; verdict: Verdict }[]
  /** Logs rounds as inconclusive whose auditor kept silent or is suspended. @returns how many. */
  closeSilent(beforeDrawnHeight: number): number
  /** Only the latter. */
  closeSuspended(): number
  /** Rounds that wait for an auditor, and receipts sampled that have no verdict yet. */
  open(): { rounds: number; receipts: number }
}

interface LeaseRow {
  receipt: Uint8Array
  round: bigint
  job: Uint8Array
  input: Uint8Array
  input_salt: Uint8Array
}

interface OpenRow {
  receipt: Uint8Array
  round: bigint
  auditor: Uint8Array
  state: string
  commitment: Uint8Array | null
  output: Uint8Array
  subnet: string
  model: Uint8Array
  epoch: bigint
}

interface BundlesRow {
  input: Uint8Array
  output: Uint8Array
  is_private: bigint
}

interface SilentRow {
  receipt: Uint8Array
  round: bigint
  auditor: Uint8Array
  suspended: bigint
}

/** No round was drawn before it: only suspended auditors' are closed. */
const NEVER_DRAWN_HEIGHT = 0
const MAX_REASON_LENGTH = 500
/** In one `verdict` entry. */
const MAX_CLOSED = 1_000

export function openAuditDesk(
  books: Books,
  options: { origin: string; market: Market; standings: Pick<StandingDesk, 'observe'> },
): AuditDesk {
  const { db } = books
  const selectLease = db.prepare<[Uint8Array, number], LeaseRow>(
    `SELECT audit.receipt, round, job.bytes AS job, job.input, job.input_salt
       FROM audit JOIN receipt ON receipt.id = audit.receipt JOIN job ON job.number = receipt.job
      WHERE auditor = ? AND audit.state = 'drawn' ORDER BY submission, position LIMIT ?`,
  )
  const selectOpen = db.prepare<[Uint8Array, number, Uint8Array], OpenRow>(
    `SELECT audit.receipt, round, auditor, audit.state, commitment, result.output, subnet, model, epoch
       FROM audit JOIN receipt ON receipt.id = audit.receipt JOIN result ON result.job = receipt.job
       JOIN job ON job.number = receipt.job
      WHERE audit.receipt = ? AND round = ? AND auditor = ?`,
  )
  const selectSilent = db.prepare<[number], SilentRow>(
    `SELECT receipt, round, auditor,
            auditor IN (SELECT worker FROM standing WHERE standing = 'suspended') AS suspended FROM audit
      WHERE state IN ('drawn', 'committed') AND (drawn_height < ? OR suspended) LIMIT ${MAX_CLOSED}`,
  )
  const setCommitted = db.prepare(
    `UPDATE audit SET state = 'committed', commitment = ? WHERE receipt = ? AND round = ? AND auditor = ? AND state = 'drawn'`,
  )
  const setVerdict = db.prepare(
    `UPDATE audit SET state = ?, verdict_entry = ? WHERE receipt = ? AND round = ? AND state IN ('drawn', 'committed')`,
  )
  const setReceipt = db.prepare(
    'UPDATE receipt SET verdict = ?, verdict_entry = ? WHERE id = ? AND sampled = 1 AND verdict IS NULL',
  )
  const selectBundles = db.prepare<[Uint8Array], BundlesRow>(
    `SELECT job.input, result.output, job.is_private FROM receipt JOIN job ON job.number = receipt.job JOIN result ON result.job = job.number
      WHERE receipt.id = ?`,
  )
  const holds = openHolds(books)
  const countRounds = db
    .prepare<[], bigint>(`SELECT count(*) FROM audit WHERE state IN ('drawn', 'committed')`)
    .pluck()
  const countReceipts = db
    .prepare<[], bigint>('SELECT count(*) FROM receipt WHERE sampled = 1 AND verdict IS NULL')
    .pluck()

  function lease(auditor: Uint8Array, max: number): AuditLease[] {
    const leased: AuditLease[] = []
    let bytes = 0
    for (const { receipt, round, job, input, input_salt: salt } of selectLease.all(auditor, max)) {
      const inputs = books.blobs.get(hex(input))
      if (inputs === null) continue
      bytes += inputs.length
      if (leased.length > 0 && bytes > MAX_LEASED_INPUT_BYTES) break
      leased.push({ receipt, round: Number(round), job, salt, inputs })
    }
    return leased
  }

  function commit(
    auditor: Uint8Array,
    commitments: readonly AuditCommitment[],
    signature: Uint8Array,
  ): number {
    if (!checkCommitmentsSignature({ auditor, commitments, signature }, options.origin)) {
      throw new RefusedError(
        400,
        'signature_invalid',
        'the commitments are not signed by the auditor for this log',
      )
    }
    const bytes = encodeCbor(commitments)
    return record(books, { v: 1, kind: 'audit', auditor, commitments: bytes, signature }, (index) => {
      for (const { commitment, receipt, round } of commitments) {
        if (setCommitted.run(commitment, receipt, round, auditor).changes !== 1) {
          throw new RefusedError(
            409,
            'audit_not_open',
            `no audit of ${hex(receipt)} waits for this auditor's commitment`,
          )
        }
      }
      return index
    })
  }

  function reveal(
    auditor: Uint8Array,
    reveals: readonly AuditReveal[],
  ): { receipt: Uint8Array; verdict: Verdict }[] {
    const records = reveals.map((one) => judge(auditor, one))
    books.blobs.putMany(reveals.flatMap(({ outputs }) => outputs ?? []))
    logVerdicts(records)
    return records.map(({ receipt, verdict }) => ({ receipt, verdict }))
  }

  function judge(auditor: Uint8Array, { receipt, round, salt, outputs }: AuditReveal): VerdictRecord {
    const row = selectOpen.get(receipt, round, auditor)
    if (row === undefined || row.commitment === null || row.state !== 'committed') {
      throw new RefusedError(
        409,
        'audit_not_open',
        `no audit of ${hex(receipt)} waits for this auditor's reveal`,
      )
    }
    // Who could not run it has committed itself to no bytes: an auditor can't abstain once it has seen the outcome.
    const digest = sha256(outputs ?? new Uint8Array())
    const expected = auditCommitment({ auditor, receipt, salt, outputDigest: digest })
    if (Buffer.compare(expected, row.commitment) !== 0) {
      throw new RefusedError(
        400,
        'commitment_mismatch',
        'the outputs are not those that the auditor committed itself to',
      )
    }
    if (outputs === null) {
      const reason = 'the auditor could not run it'
      return { auditor, outputs, receipt, round, salt, verdict: 'inconclusive', reason }
    }
    const claimed = books.blobs.get(hex(row.output))
    if (claimed === null) {
      throw new RefusedError(409, 'audit_not_open', `the output of ${hex(receipt)} is not held any more`)
    }
    const known = options.market.model(row.subnet, row.model, Number(row.epoch))
    assert(known !== null, 'a job is leased only for a model of a subnet')
    const { verdict, reason } = compareOutputs(known.model.profile, claimed, outputs)
    return {
      auditor,
      outputs: digest,
      receipt,
      round,
      salt,
      verdict,
      // Verdicts are public, and a reason tells values.
      reason: known.subnet.privacy === 'private' ? '' : reason.slice(0, MAX_REASON_LENGTH),
    }
  }

  function logVerdicts(records: readonly VerdictRecord[]): void {
    if (records.length === 0) return
    const blob = encodeCbor(records)
    books.blobs.putSync(blob)
    record(books, { v: 1, kind: 'verdict', verdicts: sha256(blob), count: records.length }, (index) => {
      for (const { receipt, round, verdict, outputs } of records) {
        const bundles = outputs === null ? undefined : selectBundles.get(receipt)
        if (outputs !== null && bundles !== undefined) {
          const isPrivate = bundles.is_private === 1n
          holds.hold([outputs], isPrivate)
          if (verdict === 'fail') holds.keep([outputs, bundles.input, bundles.output], isPrivate)
        }
        if (setVerdict.run(verdict, index, receipt, round).changes !== 1) {
          throw new RefusedError(409, 'audit_not_open', `round ${round} of ${hex(receipt)} is closed`)
        }
        if (verdict !== 'inconclusive') setReceipt.run(verdict, index, receipt)
      }
      options.standings.observe(
        records.flatMap(({ receipt, auditor, verdict }) =>
          verdict === 'inconclusive' ? [] : { entry: index, receipt, auditor, verdict },
        ),
      )
    })
    // Whoever that has suspended audits no more: its rounds go on to the next.
    if (records.some(({ verdict }) => verdict === 'fail')) closeSuspended()
  }

  function closeSuspended(): number {
    return closeSilent(NEVER_DRAWN_HEIGHT)
  }

  /** All of them: whoever is suspended commits to nothing more, and a round left open would be settled as missed. */
  function closeSilent(beforeDrawnHeight: number): number {
    let closed = 0
    for (;;) {
      const silent = selectSilent.all(beforeDrawnHeight)
      closeRounds(silent)
      closed += silent.length
      if (silent.length < MAX_CLOSED) return closed
    }
  }

  function closeRounds(silent: readonly SilentRow[]): void {
    logVerdicts(
      silent.map(({ receipt, round, auditor, suspended }) => ({
        auditor,
        outputs: null,
        reason: suspended === 1n ? 'the auditor is suspended' : 'the auditor kept silent',
        receipt,
        round: Number(round),
        salt: null,
        verdict: 'inconclusive',
      })),
    )
  }

  return {
    lease,
    commit,
    reveal,
    closeSilent,
    closeSuspended,
    open: () => ({ rounds: Number(countRounds.get()), receipts: Number(countReceipts.get()) }),
  }
}
