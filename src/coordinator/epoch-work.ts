import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { hex } from '../../compute/work/hex.ts'
import type { Opening } from '../log/opening.ts'
import { encodePart, PART_LENGTH, type Put } from '../log/parts.ts'
import type { Anchored } from '../rules/anchored.ts'
import { type CanaryOutcome, type JudgedCanary, refutes } from '../rules/canaries.ts'
import { evidenceOf } from '../rules/cusum-evidence.ts'
import type { EpochRules } from '../rules/epoch.ts'
import { firstHeight, lastHeight, verdictCutoffHeight } from '../rules/epoch.ts'
import { earnedShare } from '../rules/objectives/earned-share.ts'
import { isRefuted, outcomeOf } from '../rules/outcome.ts'
import { type Ratio, ratioOf } from '../rules/sampling.ts'
import type { SettlementReceipt } from '../rules/settle-epoch.ts'
import { modelKey } from '../rules/standings.ts'
import type { MarketModel } from '../subnet/markets.ts'
import type { Books } from './books.ts'
import { judgeCanary } from './canaries.ts'
import { openHolds } from './holds.ts'
import type { Market } from './market.ts'

export interface EpochReceipt extends SettlementReceipt {
  readonly subnet: string
  readonly units: bigint
  /** Its number. */
  readonly job: bigint
  /** Of the `jobs` entry. */
  readonly jobEpoch: number
  /** Null where nobody asked. */
  readonly requester: string | null
  /** What is reserved for it, until the epoch is settled. */
  readonly chargeMsat: bigint
}

export interface EpochWork {
  readonly receipts: EpochReceipt[]
  readonly audits: { auditor: string; units: bigint }[]
  /** Digests of the parts of its openings. */
  readonly openings: Uint8Array[]
  /** With the rounds of their audits so far. */
  canaries(): JudgedCanary[]
  /** Outputs that a known answer refutes. */
  readonly refuted: Uint8Array[]
}

export interface EpochWorkReader {
  /**
   * Everything that the epoch's own blocks first anchored, with what became of it by the verdict cutoff. Its openings
   * are put and its bundles held meanwhile, and others run in between: what they bring comes too late to count, but for a
   * suspension. A part is of whole pages.
   */
  read(
    epoch: number,
    anchored: Anchored,
    put: Put,
    lengths?: { readonly page: number; readonly part: number },
  ): Promise<EpochWork>
  /** The newest: what was read before it is to be read again. Null: there was none. */
  lastSuspension(): bigint | null
}

type Verdict = 'pass' | 'fail' | 'void' | null

interface ReceiptRow {
  id: Uint8Array
  submission: bigint
  position: bigint
  worker: Uint8Array
  suspended_entry: bigint | null
  subnet: string
  model: Uint8Array
  epoch: bigint
  units: bigint
  reward_msat: bigint
  is_private: bigint
  item: bigint | null
  requester: string | null
  charge_msat: bigint
  refund_entry: bigint | null
  sampled: bigint | null
  verdict: Verdict
  verdict_entry: bigint | null
  number: bigint
  job: Uint8Array
  input: Uint8Array
  input_salt: Uint8Array
  leased_ms: bigint
  answered_ms: bigint
  origin_record: Uint8Array
  origin_salt: Uint8Array
  output: Uint8Array
  salt: Uint8Array
  /** The known answer of a canary. */
  known: Uint8Array | null
}

interface AuditRow {
  receipt: Uint8Array
  state: string
  auditor: Uint8Array
  units: bigint
  verdict_entry: bigint
  suspended_entry: bigint | null
}

/** Receipts that are read while all else waits: some tenth of a second. */
const PAGE_LENGTH = 4_096

/** The last that suspended this worker or auditor, so far. */
const SUSPENDED_ENTRY = '(SELECT max(status_entry) FROM suspension WHERE suspension.worker ='

export function openEpochWork(
  books: Books,
  { market, rules }: { market: Pick<Market, 'model'>; rules: EpochRules },
): EpochWorkReader {
  const { db } = books
  const selectReceipts = db.prepare<[number, bigint, bigint, number], ReceiptRow>(
    `SELECT receipt.id, receipt.submission, receipt.position, job.worker, ${SUSPENDED_ENTRY} job.worker) AS suspended_entry,
            job.subnet, job.model, job.units, reward_msat, job.is_private, job.item, job.epoch, requester, charge_msat, refund_entry, sampled, verdict,
            verdict_entry, job.number, job.id AS job, job.input, job.input_salt, job.leased_ms, result.answered_ms, job.origin_record, job.origin_salt, result.output, result.salt, canary.output AS known
       FROM receipt JOIN job ON job.number = receipt.job JOIN result ON result.job = job.number LEFT JOIN canary ON canary.job = job.id
      WHERE receipt.submission < ? AND (receipt.submission, receipt.position) > (?, ?)
      ORDER BY receipt.submission, receipt.position LIMIT ?`,
  )
  const selectEarlierTwin = db
    .prepare<[string, Uint8Array, bigint, number], bigint>(
      `SELECT 1 FROM job JOIN receipt ON receipt.job = job.number
        WHERE job.subnet = ? AND job.model = ? AND job.item = ? AND receipt.submission < ? AND is_refuted = 0`,
    )
    .pluck()
  const selectAudits = db.prepare<[number, number], AuditRow>(
    `SELECT receipt.id AS receipt, audit.state, audit.auditor, job.units, receipt.verdict_entry, ${SUSPENDED_ENTRY} audit.auditor) AS suspended_entry
       FROM audit JOIN receipt ON receipt.id = audit.receipt JOIN job ON job.number = receipt.job
      WHERE audit.state IN ('pass', 'fail') AND receipt.submission >= ? AND receipt.submission < ?`,
  )
  const selectRounds = db.prepare<[Uint8Array], { auditor: Uint8Array; state: string }>(
    'SELECT auditor, state FROM audit WHERE receipt = ? ORDER BY round',
  )
  const selectLastSuspension = db
    .prepare<[], bigint | null>('SELECT max(status_entry) FROM suspension')
    .pluck()
  const holds = openHolds(books)
  const holdAll = db.transaction((rows: readonly ReceiptRow[], epoch: number) => {
    for (const { input, output, is_private } of rows) holds.hold([input, output], is_private === 1n, epoch)
  })

  async function read(
    epoch: number,
    anchored: Anchored,
    put: Put,
    { page, part } = { page: PAGE_LENGTH, part: PART_LENGTH },
  ): Promise<EpochWork> {
    assert.equal(part % page, 0, 'a part is of whole pages')
    const from = anchored.sizeAt(firstHeight(epoch, rules) - 1)
    const to = anchored.sizeAt(lastHeight(epoch, rules))
    // Items that a receipt of this epoch stands for; what earlier epochs made of theirs is in the tables.
    const taken = new Set<string>()
    const inTime = (entry: bigint | null) => isInTime(entry, epoch, anchored)
    const canaries = new Map<string, Omit<JudgedCanary, 'rounds'>>()
    const receipts: EpochReceipt[] = []
    const refuted: Uint8Array[] = []
    const digests: Uint8Array[] = []
    let openings: Opening[] = []
    let [submission, position] = [BigInt(from), -1n]
    for (;;) {
      const rows = selectReceipts.all(to, submission, position, page)
      for (const row of rows) {
        const canary = judged(row)
        if (canary !== null) canaries.set(canary.receipt, canary)
        const receipt = receiptOf(row, canary?.outcome ?? null)
        receipts.push(receipt)
        openings.push(openingOf(row))
        if (receipt.outcome === 'canary_failed') refuted.push(row.output)
        ;({ submission, position } = row)
      }
      holdAll.immediate(rows, epoch)
      const isLast = rows.length < page
      if (openings.length === part || (isLast && openings.length > 0)) {
        digests.push(await put(encodePart(openings)))
        openings = []
      }
      if (isLast) break
      await setImmediate()
    }

    function receiptOf(row: ReceiptRow, canary: CanaryOutcome | null): EpochReceipt {
      const { item } = row
      const place = `${row.subnet}/${hex(row.model)}/${item}`
      const outcome = outcomeOf({
        canary,
        verdict: inTime(row.verdict_entry) ? row.verdict : null,
        isSuspended: isBefore(row.submission, row.suspended_entry),
        isAssigned: item !== null,
        isRefunded: row.refund_entry !== null,
        chargeMsat: row.charge_msat,
        isRepeated:
          item !== null &&
          (taken.has(place) || selectEarlierTwin.get(row.subnet, row.model, item, from) !== undefined),
        isSampled: row.sampled !== 0n,
      })
      if (!isRefuted(outcome)) taken.add(place)
      return {
        receipt: hex(row.id),
        worker: hex(row.worker),
        subnet: row.subnet,
        model: hex(row.model),
        units: row.units,
        rewardMsat: row.reward_msat,
        share: shareOf(row),
        outcome,
        job: row.number,
        jobEpoch: Number(row.epoch),
        requester: row.requester,
        chargeMsat: row.refund_entry === null ? row.charge_msat : 0n,
      }
    }

    return {
      receipts,
      refuted,
      openings: digests,
      canaries: () =>
        [...canaries.values()].map((canary) => ({
          ...canary,
          rounds: selectRounds
            .all(Buffer.from(canary.receipt, 'hex'))
            .map(({ auditor, state }) => ({ auditor: hex(auditor), verdict: state })),
        })),
      audits: selectAudits
        .all(from, to)
        .filter(({ receipt, state, verdict_entry, suspended_entry }) => {
          const outcome = canaries.get(hex(receipt))?.outcome
          const isRight = outcome === undefined || !refutes(outcome, state)
          return isRight && inTime(verdict_entry) && !isBefore(verdict_entry, suspended_entry)
        })
        .map(({ auditor, units }) => ({ auditor: hex(auditor), units })),
    }
  }

  function shareOf({ id, subnet, model, epoch, leased_ms, answered_ms }: ReceiptRow): Ratio {
    const times = { leasedMs: Number(leased_ms), answeredMs: Number(answered_ms) }
    return earnedShare(modelOf(id, subnet, model, epoch).subnet.objective, times)
  }

  function modelOf(receipt: Uint8Array, subnet: string, model: Uint8Array, epoch: bigint): MarketModel {
    const found = market.model(subnet, model, Number(epoch))
    if (found === null) throw new Error(`the model of receipt ${hex(receipt)} is unknown`)
    return found
  }

  /** The known answer decides, whatever its audit said; what the audit said is held against it. */
  function judged({
    id,
    known,
    output,
    subnet,
    model,
    epoch,
  }: ReceiptRow): Omit<JudgedCanary, 'rounds'> | null {
    if (known === null) return null
    const { profile, falseFailRate } = modelOf(id, subnet, model, epoch).model
    const outcome = judgeCanary(books, profile, { output, known })
    const evidence = evidenceOf(ratioOf(falseFailRate))
    return { receipt: hex(id), model: modelKey(subnet, model), evidence, outcome }
  }

  function isInTime(verdictEntry: bigint | null, epoch: number, anchored: Anchored): boolean {
    const anchor = verdictEntry === null ? null : anchored.first(Number(verdictEntry))
    return anchor !== null && anchor.height <= verdictCutoffHeight(epoch, rules)
  }

  return {
    read,
    lastSuspension: () => selectLastSuspension.get() ?? null,
  }
}

/** Work of a worker that was suspended afterwards, and before it is settled. */
function isBefore(entry: bigint, suspendedEntry: bigint | null): boolean {
  return suspendedEntry !== null && entry < suspendedEntry
}

function openingOf(row: ReceiptRow): Opening {
  return {
    answeredMs: Number(row.answered_ms),
    input: row.input,
    inputSalt: row.input_salt,
    job: row.job,
    origin: row.origin_record,
    originSalt: row.origin_salt,
    output: row.output,
    outputSalt: row.salt,
  }
}
