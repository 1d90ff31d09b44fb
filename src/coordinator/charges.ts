import { encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { requesterAccount, unmaturedAccount } from '../ledger/accounts.ts'
import { MAX_TRANSFERS_PER_POST } from '../ledger/ledger.ts'
import type { Transfer } from '../ledger/transfer.ts'
import { ANONYMOUS } from '../log/entry.ts'
import type { Fee } from '../rules/fees.ts'
import { chargeMsat } from '../rules/price.ts'
import type { Books } from './books.ts'
import { postAll, record } from './books.ts'
import type { Prices } from './prices.ts'
import { RefusedError } from './refused-error.ts'
import type { Withdrawals } from './withdrawals.ts'

/**
 * What requesters pay. A job's price is reserved in the ledger, pending, with the entry that logs the job, and posted with
 * the one that settles its receipt: only then may anybody know which jobs were requests (DESIGN §5). A job that buys
 * nothing is named by a `refund` entry, and its reservation ends there.
 */
export interface Charges {
  /** What so many units cost now. */
  quoteMsat(subnet: string, units: bigint, epoch: number): bigint
  /** Deposited, neither spent nor reserved nor asked back. */
  availableMsat(requester: string): bigint
  /**
   * `heldMsat`: for requests that wait. Throws RefusedError 401 `authorization_missing`, 402 `insufficient_funds`,
   * 503 `account_quarantined`.
   */
  assertCover(requester: string, neededMsat: bigint, heldMsat: bigint): void
  /** In the transaction that logs the job of this number. */
  reserve(job: number | bigint, requester: string, msat: bigint, entryIndex: number): void
  /** Jobs that nobody submitted, given back for good: a later receipt of theirs is not paid. */
  refund(jobs: readonly Uint8Array[]): void
  /** Refunds what was leased before that epoch and is in no submission yet. @returns how many */
  refundUnsubmitted(beforeEpoch: number): number
  /** From requesters to the workers of the receipts that they bought, less the operator's shares; in the epoch's transaction. */
  settle(epoch: number, fees: readonly (Fee & Charge)[], entryIndex: number): void
  /** Ends what is reserved for receipts that are not paid, in the epoch's transaction. */
  release(charges: readonly Charge[], entryIndex: number): void
}

/** What is reserved for a job. */
interface Charge {
  /** Its number. */
  readonly job: bigint
  readonly requester: string
}

/** In one entry: a list of ids below the size of the largest blob by far. */
const MAX_REFUNDS = 65_536

export function openCharges(
  books: Books,
  prices: Pick<Prices, 'at'>,
  withdrawals: Pick<Withdrawals, 'waitingMsat'>,
): Charges {
  const { db, ledger } = books
  const setRefunded = db.prepare(
    `UPDATE job SET refund_entry = ? WHERE id = ? AND state <> 'submitted' AND refund_entry IS NULL`,
  )
  const selectCharge = db.prepare<[Uint8Array], Charge>(
    'SELECT number AS job, requester FROM job WHERE id = ? AND charge_msat > 0 AND refund_entry IS NULL',
  )
  const selectUnsubmitted = db
    .prepare<[number, number], Uint8Array>(
      `SELECT id FROM job WHERE epoch < ? AND charge_msat > 0 AND refund_entry IS NULL
          AND state <> 'submitted' ORDER BY entry_index LIMIT ?`,
    )
    .pluck()
  const insertFee = db.prepare(
    'INSERT INTO fee (receipt, epoch, requester, worker, subnet, model, msat, share_msat) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  )

  function availableMsat(requester: string): bigint {
    return ledger.balance(requesterAccount(requester)).availableMsat - withdrawals.waitingMsat(requester)
  }

  /** A charge that is pending no more, or never was, is a bug, and takes its entry down with it. */
  function end(charges: readonly Charge[], kind: 'post' | 'void', entryIndex: number): void {
    // A quarantined account waits for the ledger to be rebuilt; the others don't wait for it (DESIGN §8).
    const quarantined = ledger.quarantined()
    const ids = charges
      .filter(({ requester }) => !quarantined.has(requesterAccount(requester)) && !quarantined.has('escrow'))
      .map(({ job }) => chargeId(job))
      // By the receipts' hashes each statement would read all the pages.
      .sort()
    for (let from = 0; from < ids.length; from += MAX_TRANSFERS_PER_POST) {
      const some = ids.slice(from, from + MAX_TRANSFERS_PER_POST)
      const ended = ledger.settleAll(some, kind, entryIndex)
      if (ended !== some.length) throw new Error(`${ended} of ${some.length} charges could end: ${kind}`)
    }
  }

  function refund(jobs: readonly Uint8Array[]): void {
    for (let from = 0; from < jobs.length; from += MAX_REFUNDS)
      refundSome(jobs.slice(from, from + MAX_REFUNDS))
  }

  function refundSome(jobs: readonly Uint8Array[]): void {
    const list = encodeCbor(jobs)
    books.blobs.putSync(list)
    record(books, { v: 1, kind: 'refund', count: jobs.length, jobs: sha256(list) }, (entryIndex) => {
      const charges = jobs.flatMap((job) => selectCharge.get(job) ?? [])
      end(charges, 'void', entryIndex)
      for (const job of jobs) {
        if (setRefunded.run(entryIndex, job).changes !== 1)
          throw new Error('a job is refunded once, or submitted')
      }
    })
  }

  return {
    quoteMsat: (subnet, units, epoch) => chargeMsat(units, prices.at(subnet, epoch)),
    availableMsat,
    assertCover(requester, neededMsat, heldMsat) {
      if (neededMsat === 0n) return
      if (requester === ANONYMOUS) {
        throw new RefusedError(
          401,
          'authorization_missing',
          `this costs ${neededMsat} msat: an API key is needed`,
        )
      }
      if (ledger.isQuarantined(requesterAccount(requester)) || ledger.isQuarantined('escrow')) {
        throw new RefusedError(
          503,
          'account_quarantined',
          "the account's books don't add up: nothing can be charged until the operator has mended them",
        )
      }
      const available = availableMsat(requester) - heldMsat
      if (available >= neededMsat) return
      throw new RefusedError(
        402,
        'insufficient_funds',
        `this costs ${neededMsat} msat, ${available} are there`,
        {
          extensions: { neededMsat: `${neededMsat}`, availableMsat: `${available}` },
        },
      )
    },
    reserve(job, requester, msat, entryIndex) {
      if (msat === 0n) return
      postAll(books, [
        {
          id: chargeId(job),
          debit: requesterAccount(requester),
          credit: 'escrow',
          amountMsat: msat,
          code: 'charge',
          entryIndex,
          pending: true,
        },
      ])
    },
    refund,
    refundUnsubmitted(beforeEpoch) {
      let refunded = 0
      for (;;) {
        const jobs = selectUnsubmitted.all(beforeEpoch, MAX_REFUNDS)
        if (jobs.length > 0) refundSome(jobs)
        refunded += jobs.length
        if (jobs.length < MAX_REFUNDS) return refunded
      }
    },
    settle(epoch, fees, entryIndex) {
      for (const { receipt, requester, subnet, model, worker, msat, shareMsat } of fees) {
        insertFee.run(
          Buffer.from(receipt, 'hex'),
          epoch,
          requester,
          Buffer.from(worker, 'hex'),
          subnet,
          model,
          msat,
          shareMsat,
        )
      }
      // A quarantined account waits for the ledger to be rebuilt; the others don't wait for it (DESIGN §8).
      const quarantined = ledger.quarantined()
      const payable = fees.filter(({ requester, worker }) =>
        [requesterAccount(requester), unmaturedAccount(worker), 'escrow', 'reserve'].every(
          (name) => !quarantined.has(name),
        ),
      )
      end(payable, 'post', entryIndex)
      const byWorker = Map.groupBy(payable, ({ worker }) => worker)
      const transfers: Transfer[] = [...byWorker].map(([worker, own]) => ({
        id: `epoch/${epoch}/fees/${worker}`,
        debit: 'escrow',
        credit: unmaturedAccount(worker),
        amountMsat: own.reduce((sum, { msat }) => sum + msat, 0n),
        code: 'fee',
        entryIndex,
      }))
      transfers.push({
        id: `epoch/${epoch}/share`,
        debit: 'escrow',
        credit: 'reserve',
        amountMsat: payable.reduce((sum, { shareMsat }) => sum + shareMsat, 0n),
        code: 'operator_share',
        entryIndex,
      })
      postAll(
        books,
        transfers.filter(({ amountMsat }) => amountMsat > 0n),
      )
    },
    release: (charges, entryIndex) => end(charges, 'void', entryIndex),
  }
}

/** By the job's number: what is reserved and settled together stands together, where a hash would scatter it over pages. */
function chargeId(job: number | bigint): string {
  return `charge/${job}`
}
