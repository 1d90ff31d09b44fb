import { maturedAccount, payoutAccount } from '../ledger/accounts.ts'
import { parseEntry } from '../log/entry.ts'
import { anchoredView } from '../rules/anchored.ts'
import { epochOf, firstHeight, lastHeight, maturityHeight, settlementHeight } from '../rules/epoch.ts'
import { epochRules } from '../rules/epoch-rules.ts'
import { type AnsweredWork, earnedShare } from '../rules/objectives/earned-share.ts'
import type { Coordinator, OpenHouse } from './coordinator.ts'

const RECEIPTS_PER_PAGE = 100
const NOT_OPENED = { leasedMs: null, answeredMs: null, share: null }

interface ReceiptRow {
  receipt: Uint8Array
  entry: bigint
  position: bigint
  subnet: string
  model: Uint8Array
  units: bigint
  epoch: bigint
  leased_ms: bigint
  answered_ms: bigint
  reason: string | null
  sampled: bigint | null
  verdict: string | null
  verdict_entry: bigint | null
  fee: bigint | null
}

interface EarnedRow {
  subnet: string
  msat: bigint
  fate: 'matured' | 'forfeited' | null
  /** 1 for what requesters paid, which each receipt has of its own. */
  bought: bigint
}

/**
 * What a worker earned in an epoch and why, receipt by receipt, the next page after the last one's place. Without `epoch`
 * the newest that has been settled. The budget's shares are rounded once for each subnet, so that only what was bought has
 * an amount of its own. Of what is not settled no more is said than the log shows: a canary must not be told by it.
 */
export function statementOf(
  { books, advancedTo }: Coordinator,
  { genesis, anchorer, payer, desks }: OpenHouse,
  worker: Uint8Array,
  page: { epoch: number | null; after: { entry: number; position: number } | null },
) {
  const { db, log } = books
  const rules = epochRules(genesis)
  const epoch = page.epoch ?? newestSettled() ?? epochOf((advancedTo() ?? 0) + 1, rules) ?? 0
  const row = db
    .prepare<[number], { settled_entry: bigint | null; matured_entry: bigint | null }>(
      'SELECT settled_entry, matured_entry FROM epoch WHERE number = ?',
    )
    .get(epoch)
  const settled = row?.settled_entry == null ? null : parseEntry(log.entry(Number(row.settled_entry)))
  return {
    worker,
    epoch,
    settledEntry: numberOrNull(row?.settled_entry),
    accruals: settled?.kind === 'epoch' ? settled.accruals : null,
    settlementHeight: settlementHeight(epoch, rules),
    maturityHeight: maturityHeight(epoch, rules),
    maturedEntry: numberOrNull(row?.matured_entry),
    earned: earned(),
    payouts: payouts(row?.matured_entry ?? null),
    receipts: receipts(),
  }

  function newestSettled(): number | null {
    return numberOrNull(
      db
        .prepare<[], bigint | null>('SELECT max(number) FROM epoch WHERE settled_entry IS NOT NULL')
        .pluck()
        .get(),
    )
  }

  function earned() {
    return db
      .prepare<[Uint8Array, number, Uint8Array, number], EarnedRow>(
        `SELECT subnet, sum(msat) AS msat, fate, 0 AS bought FROM accrual WHERE worker = ? AND epoch = ? GROUP BY subnet, fate
         UNION ALL
         SELECT subnet, sum(msat), fate, 1 FROM fee WHERE worker = ? AND epoch = ? GROUP BY subnet, fate
         ORDER BY 4, 1`,
      )
      .all(worker, epoch, worker, epoch)
      .map(({ bought, ...one }) => ({ ...one, from: bought === 1n ? 'requesters' : 'budget' }))
  }

  function receipts() {
    const anchored = anchoredView(anchorer.places())
    const { entry, position } = page.after ?? { entry: -1, position: 0 }
    return db
      .prepare<unknown[], ReceiptRow>(
        `SELECT receipt.id AS receipt, submission AS entry, position, job.subnet, job.model, units, job.epoch, leased_ms, answered_ms, reason, sampled, verdict,
                verdict_entry, fee.msat AS fee
           FROM submission JOIN receipt ON receipt.submission = submission.entry_index
           JOIN job ON job.number = receipt.job JOIN result ON result.job = job.number LEFT JOIN fee ON fee.receipt = receipt.id
          WHERE submission.worker = ? AND submission.entry_index >= ? AND submission.entry_index < ?
            AND (submission, position) > (?, ?) ORDER BY submission, position LIMIT ?`,
      )
      .all(
        worker,
        anchored.sizeAt(firstHeight(epoch, rules) - 1),
        anchored.sizeAt(lastHeight(epoch, rules)),
        entry,
        position,
        RECEIPTS_PER_PAGE,
      )
      .map(({ verdict_entry, fee, model, epoch: jobEpoch, leased_ms, answered_ms, ...one }) => ({
        ...one,
        ...(one.reason === null
          ? NOT_OPENED
          : opened(one.subnet, model, jobEpoch, {
              leasedMs: Number(leased_ms),
              answeredMs: Number(answered_ms),
            })),
        entry: Number(one.entry),
        position: Number(one.position),
        units: Number(one.units),
        sampled: one.sampled === null ? null : one.sampled === 1n,
        msat: fee,
        verdictEntry: numberOrNull(verdict_entry),
        /** The blob that the verdict's entry names: who said it, and the outputs that it compared. */
        evidence: evidenceOf(verdict_entry),
      }))
  }

  /** What the epoch's openings say of its time, and what that leaves of its reward. */
  function opened(subnet: string, model: Uint8Array, jobEpoch: bigint, times: AnsweredWork) {
    const found = desks.market.model(subnet, model, Number(jobEpoch))
    if (found === null) throw new Error(`subnet ${subnet} had no such model in epoch ${jobEpoch}`)
    const { numerator, denominator } = earnedShare(found.subnet.objective, times)
    return { ...times, share: { numerator: Number(numerator), denominator: Number(denominator) } }
  }

  function evidenceOf(verdictEntry: bigint | null): Uint8Array | null {
    const entry = verdictEntry === null ? null : parseEntry(log.entry(Number(verdictEntry)))
    return entry?.kind === 'verdict' ? entry.verdicts : null
  }

  /** First in, first out: those payouts that reached what matured with the epoch. */
  function payouts(maturedEntry: bigint | null) {
    if (maturedEntry === null) return []
    const account = maturedAccount(Buffer.from(worker).toString('hex'))
    const { before = 0n, through = 0n } =
      db
        .prepare<[bigint, string, bigint], { before: bigint; through: bigint }>(
          `SELECT coalesce(sum(amount_msat) FILTER (WHERE entry_index < ?), 0) AS before,
                  coalesce(sum(amount_msat), 0) AS through FROM ledger_transfer WHERE credit = ? AND entry_index <= ? AND code <> 'payout_voided'`,
        )
        .get(maturedEntry, account, maturedEntry) ?? {}
    const sentById = new Map(payer.payouts().map((sent) => [sent.id, sent]))
    return db
      .prepare<[string, bigint, bigint], { payout: bigint; entry: bigint; msat: bigint }>(
        `SELECT payout.number AS payout, payout.entry_index AS entry, msat
           FROM (SELECT entry_index, msat, sum(msat) OVER (ORDER BY sequence) AS until FROM paid WHERE account = ?) AS part
           JOIN payout ON payout.entry_index = part.entry_index
          WHERE until > ? AND until - msat < ? ORDER BY payout.number`,
      )
      .all(account, before, through)
      .map(({ payout, entry, msat }) => {
        const sent = sentById.get(payoutAccount(Number(payout)))
        return {
          payout: Number(payout),
          entry: Number(entry),
          msat,
          txid: sent?.payment?.txid ?? null,
          height: sent?.height ?? null,
        }
      })
  }
}

function numberOrNull(value: bigint | null | undefined): number | null {
  return value == null ? null : Number(value)
}
