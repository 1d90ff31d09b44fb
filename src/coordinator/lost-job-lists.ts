import assert from 'node:assert'
import { encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { hex } from '../../compute/work/hex.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { parseEntry } from '../log/entry.ts'
import { StoreError } from '../store/store-error.ts'
import type { Books } from './books.ts'

/**
 * Puts the lists again that a power cut has taken from `jobs` entries: nobody waits for the disk with them, since the
 * rows of the jobs hold the same bytes. Small blobs survive in the order of their commits, so none is missing that is
 * older than one that is there; a lease's 256 jobs of 250 bytes are always small.
 *
 * @throws StoreError `blobs_missing`: one that a submission has synced is gone, which is no power cut's doing
 */
export function putLostJobLists({ db, log, blobs }: Pick<Books, 'db' | 'log' | 'blobs'>): void {
  const selectLast = db.prepare<[number | bigint], { number: bigint; entry_index: bigint }>(
    'SELECT number, entry_index FROM job WHERE number <= ? ORDER BY number DESC LIMIT 1',
  )
  const selectJobs = db.prepare<[bigint, bigint], { bytes: Uint8Array; state: string }>(
    'SELECT bytes, state FROM job WHERE number > ? AND number <= ? ORDER BY number',
  )
  const lost: Uint8Array[] = []
  let last = selectLast.get(Number.MAX_SAFE_INTEGER)
  while (last !== undefined) {
    const entry = parseEntry(log.entry(Number(last.entry_index)))
    assert(entry.kind === 'jobs', 'the entry of a job')
    if (blobs.has(hex(entry.jobs))) break
    const before = last.number - BigInt(entry.count)
    const jobs = selectJobs.all(before, last.number)
    if (jobs.some(({ state }) => state === 'submitted')) {
      throw new StoreError(
        'blobs_missing',
        `the blobs beside ${db.name} are missing or older than it: restore them from a copy made with it or later`,
      )
    }
    const list = encodeCbor(jobs.map(({ bytes }) => bytes))
    assert(Buffer.compare(sha256(list), entry.jobs) === 0, 'jobs are numbered as their entry lists them')
    lost.push(list)
    last = selectLast.get(before)
  }
  // In one commit: one of them alone would say that none before it is missing.
  blobs.putMany(lost)
}
