import assert from 'node:assert'
import { encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { hex } from '../../compute/work/hex.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { parseEntry } from '../log/entry.ts'
import type { Books } from './books.ts'

/**
 * Puts the lists again that a power cut has taken from `jobs` entries: nobody waits for the disk with them, since the rows of
 * the jobs hold the same bytes. Small blobs survive in the order of their commits, so none is missing that is older than one that
 * is there; a lease's 256 jobs of 250 bytes are always small.
 */
export function putLostJobLists({ db, log, blobs }: Pick<Books, 'db' | 'log' | 'blobs'>): void {
  const selectLast = db.prepare<[number | bigint], { number: bigint; entry_index: bigint }>(
    'SELECT number, entry_index FROM job WHERE number <= ? ORDER BY number DESC LIMIT 1',
  )
  const selectBytes = db
    .prepare<[bigint, bigint], Uint8Array>(
      'SELECT bytes FROM job WHERE number > ? AND number <= ? ORDER BY number',
    )
    .pluck()
  // What was leased since the last sync: a submission or 16 MB of the write-ahead log.
  const lost: Uint8Array[] = []
  let last = selectLast.get(Number.MAX_SAFE_INTEGER)
  while (last !== undefined) {
    const entry = parseEntry(log.entry(Number(last.entry_index)))
    assert(entry.kind === 'jobs', 'the entry of a job')
    if (blobs.has(hex(entry.jobs))) break
    const before = last.number - BigInt(entry.count)
    const list = encodeCbor(selectBytes.all(before, last.number))
    assert(Buffer.compare(sha256(list), entry.jobs) === 0, 'jobs are numbered as their entry lists them')
    lost.push(list)
    last = selectLast.get(before)
  }
  // In one commit: one of them alone would say that none before it is missing.
  blobs.putMany(lost)
}
