import { z } from 'zod'
import { decodeCbor, encodeCbor } from '../../compute/work/canonical-cbor.ts'
import { integer } from '../../compute/work/record.ts'
import type { Fee } from '../rules/fees.ts'
import type { EpochSettlement } from '../rules/settle-epoch.ts'
import { money } from './money.ts'
import { MAX_HEAD_BYTES, PART_LENGTH, type Put, partNames, putParts } from './parts.ts'

const headSchema = z.strictObject({
  v: z.literal(1),
  epoch: integer,
  compute: partNames,
  audit: partNames,
  fees: partNames,
  receipts: partNames,
  returnedMsat: money,
})

export type AccrualHead = z.output<typeof headSchema>

/** In parts. */
export const ACCRUAL_LISTS = ['compute', 'audit', 'fees', 'receipts'] as const

export type AccrualLists = EpochSettlement & { readonly fees: readonly Fee[] }

/**
 * Puts the table of who earned what, who paid what, and of every receipt why (PROTOCOL §4): its head last, which an
 * `epoch` entry names.
 */
export async function putAccruals(
  epoch: number,
  lists: AccrualLists,
  put: Put,
  length = PART_LENGTH,
): Promise<{ head: AccrualHead; digest: Uint8Array }> {
  const head: AccrualHead = {
    v: 1,
    epoch,
    compute: await putParts(lists.compute, put, length),
    audit: await putParts(lists.audit, put, length),
    fees: await putParts(lists.fees, put, length),
    receipts: await putParts(lists.receipts, put, length),
    returnedMsat: lists.returnedMsat,
  }
  return { head, digest: await put(encodeCbor(head)) }
}

/** Throws CborError, ZodError. */
export function parseAccrualHead(bytes: Uint8Array): AccrualHead {
  return headSchema.parse(decodeCbor(bytes, { maxBytes: MAX_HEAD_BYTES }))
}
