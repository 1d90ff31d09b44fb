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

export type Acknowledgement = z.infer<typeof acknowledgementSchema>

/**
 * Throws unless the checkpoint is the log's and the path leads from the entry to it. Log and notes are no business of
 * this package's, so whoever starts a worker brings this along.
 */
export type CheckAcknowledgement = (acknowledgement: Acknowledgement) => void

/**
 * The acknowledgement of `header`, not checked yet.
 *
 * @throws CoordinatorError `answer_malformed`, `acknowledgement_wrong`
 */
export function parseAcknowledgement(bytes: Uint8Array, header: Uint8Array): Acknowledgement {
  try {
    const limit = { maxBytes: MAX_ACKNOWLEDGEMENT_BYTES }
    const acknowledgement = acknowledgementSchema.parse(decodeCbor(bytes, limit))
    const logged = entrySchema.parse(decodeCbor(acknowledgement.entry, limit))
    if (Buffer.compare(logged.header, header) === 0) return acknowledgement
  } catch (cause) {
    if (!(cause instanceof CborError || cause instanceof z.ZodError)) throw cause
    throw new CoordinatorError({ code: 'answer_malformed', detail: cause.message }, { cause })
  }
  throw new CoordinatorError({ code: 'acknowledgement_wrong', detail: 'it is of another submission' })
}
