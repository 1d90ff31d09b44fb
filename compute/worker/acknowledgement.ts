import { z } from 'zod'
import { CborError, decodeCbor } from '../work/canonical-cbor.ts'
import { anyBytes, bytes32, integer } from '../work/record.ts'
import { CoordinatorError } from './coordinator-error.ts'

/** An entry of 65,535 bytes, a path of 64 hashes and a signed note. */
const MAX_ACKNOWLEDGEMENT_BYTES = 128 * 1024

const acknowledgementSchema = z.strictObject({
  checkpoint: z.string(),
  entry: anyBytes,
  index: integer,
  path: z.array(bytes32),
})
const entrySchema = z.looseObject({ kind: z.literal('submission'), header: anyBytes })

/**
 * The log index in an acknowledgement of `header`. Whether the checkpoint is signed and the path leads to it is for
 * the auditor's tools, which find the acknowledgement in the spool: log and notes are no business of a worker's.
 *
 * @throws CoordinatorError `answer_malformed`, `acknowledgement_wrong`
 */
export function readAcknowledgement(bytes: Uint8Array, header: Uint8Array): number {
  try {
    const limit = { maxBytes: MAX_ACKNOWLEDGEMENT_BYTES }
    const { entry, index } = acknowledgementSchema.parse(decodeCbor(bytes, limit))
    const logged = entrySchema.parse(decodeCbor(entry, limit))
    if (Buffer.compare(logged.header, header) === 0) return index
  } catch (cause) {
    if (!(cause instanceof CborError || cause instanceof z.ZodError)) throw cause
    throw new CoordinatorError({ code: 'answer_malformed', detail: cause.message }, { cause })
  }
  throw new CoordinatorError({ code: 'acknowledgement_wrong', detail: 'it is of another submission' })
}
