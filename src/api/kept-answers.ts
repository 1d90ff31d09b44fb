import type { Database } from 'better-sqlite3'
import type { Request } from 'express'
import { type Tagged, tagged } from './send-tagged.ts'

/** Some hundred of the largest: full bundles of entries. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024

/**
 * What `make` gives, or gave for this URL since a row last changed. It may read the database, and what never changes, and nothing else.
 * Throws what `make` throws.
 */
export type KeptAnswers = (request: Pick<Request, 'originalUrl'>, make: () => string | Buffer) => Tagged

/** Answers that follow from the database alone: this connection is its one writer, so its count of changed rows says whether they still hold. */
export function openKeptAnswers(db: Database): KeptAnswers {
  const countChanges = db.prepare<[], bigint>('SELECT total_changes()').pluck()
  const kept = new Map<string, Tagged>()
  let keptAt: bigint | undefined
  let keptBytes = 0

  function forget(): void {
    kept.clear()
    keptBytes = 0
  }

  return ({ originalUrl }, make) => {
    const changes = countChanges.get()
    if (changes !== keptAt) forget()
    keptAt = changes
    const known = kept.get(originalUrl)
    if (known !== undefined) return known
    const answer = tagged(make())
    const bytes = originalUrl.length + answer.body.length
    if (keptBytes + bytes > MAX_KEPT_BYTES) forget()
    kept.set(originalUrl, answer)
    keptBytes += bytes
    return answer
  }
}
