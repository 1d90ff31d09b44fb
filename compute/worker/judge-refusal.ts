import { z } from 'zod'
import type { CoordinatorError } from './coordinator-error.ts'

/** What a refused submission calls for. */
type Refusal =
  /** It is in the log; the answer to the first attempt was lost. */
  | { kind: 'duplicate'; acknowledgement: Uint8Array }
  /** These results (receipt ids in hex) must be sent again first. */
  | { kind: 'outputs_missing'; receipts: ReadonlySet<string> }
  | { kind: 'sequence' }
  /** Some receipt in it will never be accepted. */
  | { kind: 'receipt' }
  | { kind: 'fatal' }

const RECEIPT_CODES = new Set([
  'job_already_submitted',
  'job_unknown',
  'model_unknown',
  'profile_mismatch',
  'receipt_malformed',
])

const duplicateSchema = z.object({ acknowledgement: z.base64() })
const missingSchema = z.object({ receipts: z.array(z.string()).min(1) })

export function judgeRefusal({ code, extensions }: CoordinatorError): Refusal {
  if (code === 'sequence_mismatch') return { kind: 'sequence' }
  if (RECEIPT_CODES.has(code)) return { kind: 'receipt' }
  if (code === 'submission_duplicate') {
    const { data } = duplicateSchema.safeParse(extensions)
    if (data) return { kind: 'duplicate', acknowledgement: Buffer.from(data.acknowledgement, 'base64') }
  }
  if (code === 'outputs_missing') {
    const { data } = missingSchema.safeParse(extensions)
    if (data) return { kind: 'outputs_missing', receipts: new Set(data.receipts) }
  }
  // Its own fault or a broken answer: another attempt would be a guess.
  return { kind: 'fatal' }
}
