import type { Coordinator } from '../coordinator/coordinator.ts'
import { epochNow } from '../coordinator/epoch-now.ts'
import { type Reading, reading, readingBy } from './reading.ts'

/** Work from request to verdict. Every query reads an index or a table that stays small: tables grow by a row a receipt. */
export function createWorkReadings(coordinator: Coordinator): () => Reading[] {
  const { db, blobs } = coordinator.books
  const one = (sql: string) => {
    const statement = db.prepare<[], bigint>(sql).pluck()
    return () => statement.get() ?? 0n
  }
  const leased = one(`SELECT count(*) FROM job WHERE state = 'leased'`)
  const answered = one(`SELECT count(*) FROM job WHERE state = 'answered'`)
  const receipts = one('SELECT sum(receipts) FROM worker_tally')
  const undrawn = one('SELECT count(*) FROM submission WHERE drawn_height IS NULL')
  const workers = one('SELECT count(*) FROM worker')
  const standings = db
    .prepare<[], [string, bigint]>('SELECT standing, count(*) FROM standing GROUP BY standing')
    .raw()
  const frozen = one('SELECT count(*) FROM frozen_model')
  const rounds = db.prepare<[], [string, bigint]>('SELECT state, rounds FROM audit_tally').raw()

  return () => {
    const desks = coordinator.house()?.desks
    const bundles = desks?.retention.sums()
    return [
      reading(
        'assay_requests_open',
        'Requests whose requesters wait for an answer.',
        desks?.requests.length ?? null,
      ),
      readingBy(
        'assay_jobs',
        'Jobs that are out with a worker, or answered and not submitted yet.',
        'state',
        [
          ['leased', leased()],
          ['answered', answered()],
        ],
      ),
      reading('assay_receipts', 'Receipts in the log.', receipts()),
      reading('assay_workers', 'Registered workers and auditors.', workers()),
      readingBy(
        'assay_workers_audited',
        'Workers that were ever audited, by standing.',
        'standing',
        eachOf(STANDINGS, standings.all()),
      ),
      reading('assay_models_frozen', 'Models that unrelated workers fail on together.', frozen()),
      reading('assay_submissions_undrawn', 'Submissions whose audits no block has drawn yet.', undrawn()),
      readingBy(
        'assay_audit_rounds',
        'Rounds of audits: due (drawn, committed) and done, by verdict.',
        'state',
        eachOf(AUDIT_STATES, rounds.all()),
      ),
      readingBy(
        'assay_audit_capacity',
        'Audits under way or sure to come (load), and how many the auditors may have (limit): at the limit new keys get no work.',
        'figure',
        capacityOf(coordinator),
      ),
      reading(
        'assay_canaries_left',
        'Known answers that were left when the epoch began.',
        canariesLeft(coordinator),
      ),
      reading(
        'assay_bundle_bytes_held',
        'Bytes of inputs and outputs that are held.',
        bundles?.heldBytes ?? null,
      ),
      reading(
        'assay_bundle_bytes_collected',
        'Bytes of inputs and outputs that were removed once their retention was over.',
        bundles?.collectedBytes ?? null,
      ),
      reading(
        'assay_data_free_bytes',
        'What the file system of the data folder has left.',
        blobs.freeBytes(),
      ),
    ]
  }
}

function capacityOf(coordinator: Coordinator): [string, number][] {
  const house = coordinator.house()
  if (house === null || coordinator.advancedTo() === null) return []
  return Object.entries(house.desks.capacity.figures(epochNow(coordinator, house.genesis) ?? 0))
}

/** What has no row is 0. */
function eachOf(names: readonly string[], rows: readonly [string, bigint][]): Map<string, bigint> {
  return new Map([...names.map((name) => [name, 0n] as const), ...rows])
}

function canariesLeft(coordinator: Coordinator): number | null {
  const house = coordinator.house()
  const epoch = house === null ? null : epochNow(coordinator, house.genesis)
  return epoch === null ? null : (house?.desks.canaries.leftAt(epoch) ?? null)
}

const STANDINGS = ['good', 'held', 'suspended'] as const
const AUDIT_STATES = ['drawn', 'committed', 'pass', 'fail', 'inconclusive'] as const
