import { encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { hex } from '../../compute/work/hex.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import type { Books } from './books.ts'

/** How long bundles of inputs and outputs are held. Every change joins the caller's transaction; what was promised is never shortened. */
export interface Holds {
  /** The newest epoch that has its work: what is leased, answered or submitted now is of none later. */
  present(): number
  /** At least as long as the work of `epoch`, by default that of the present one. */
  hold(digests: readonly Uint8Array[], isPrivate: boolean, epoch?: number): void
  /** For good: what can be assigned again, and what a fail was said on. */
  keep(digests: readonly Uint8Array[], isPrivate: boolean): void
  /** Whether nothing but private work names it: what public work names as well has to be shown. */
  isPrivate(digest: Uint8Array): boolean
}

/** A bundle of nothing has the bytes of a list of nothing, as an epoch without work has its openings: never collected. */
const EMPTY_LIST = sha256(encodeCbor([]))

export function openHolds({ db, blobs }: Pick<Books, 'db' | 'blobs'>): Holds {
  const selectPresent = db
    .prepare<[], bigint>('SELECT coalesce(max(number), 0) FROM epoch WHERE assigned = 1')
    .pluck()
  const select = db.prepare<[Uint8Array], { epoch: bigint | null; is_private: bigint }>(
    'SELECT epoch, is_private FROM held_blob WHERE digest = ?',
  )
  const insert = db.prepare('INSERT INTO held_blob (digest, bytes, epoch, is_private) VALUES (?, ?, ?, ?)')
  const update = db.prepare('UPDATE held_blob SET epoch = ? WHERE digest = ?')
  const publish = db.prepare('UPDATE held_blob SET is_private = 0 WHERE digest = ?')

  function set(digest: Uint8Array, epoch: number | null, isPrivate: boolean): void {
    if (Buffer.compare(digest, EMPTY_LIST) === 0) return
    const known = select.get(digest)
    if (known === undefined) {
      insert.run(digest, blobs.sizeBytes(hex(digest)) ?? 0, epoch, isPrivate ? 1 : 0)
      return
    }
    if (known.epoch !== null && (epoch === null || epoch > Number(known.epoch))) update.run(epoch, digest)
    if (!isPrivate && known.is_private === 1n) publish.run(digest)
  }

  const present = () => Number(selectPresent.get())

  return {
    present,
    hold(digests, isPrivate, epoch = present()) {
      for (const digest of digests) set(digest, epoch, isPrivate)
    },
    keep(digests, isPrivate) {
      for (const digest of digests) set(digest, null, isPrivate)
    },
    isPrivate: (digest) => select.get(digest)?.is_private === 1n,
  }
}
