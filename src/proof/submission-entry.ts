import { encodeEntry } from '../log/entry.ts'
import type { Proof } from './proof.ts'

/** The log entry of the proof's submission: an entry has one encoding, so its parts are enough. */
export function submissionEntry({ submission, signature, receipts }: Proof): Uint8Array {
  return encodeEntry({ v: 1, kind: 'submission', header: submission, signature, receipts })
}
