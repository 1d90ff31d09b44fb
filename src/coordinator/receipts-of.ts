import { parseByteStrings } from '../../compute/work/byte-strings.ts'
import { MAX_LIST_BYTES } from '../../compute/work/submission.ts'
import { parseEntry } from '../log/entry.ts'
import type { Books } from './books.ts'

/** Those of a `submission` entry, in their order. */
export function receiptsOf({ log, blobs }: Pick<Books, 'log' | 'blobs'>, entryIndex: number): Uint8Array[] {
  const submission = parseEntry(log.entry(entryIndex))
  if (submission.kind !== 'submission') throw new Error(`entry ${entryIndex} is no submission`)
  const blob = blobs.get(Buffer.from(submission.receipts).toString('hex'))
  if (blob === null) throw new Error(`the receipts of entry ${entryIndex} are not held`)
  return parseByteStrings(blob, MAX_LIST_BYTES)
}
