import { globSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { z } from 'zod'
import { decodeCbor } from '../../compute/work/canonical-cbor.ts'
import { anyBytes, bytes32 } from '../../compute/work/record.ts'
import { parseHeader } from '../../compute/work/submission.ts'
import type { PublicLog } from '../client/read-public-log.ts'
import { verifyCheckpoint } from '../log/checkpoint.ts'
import { parseVerifierKey } from '../log/note-key.ts'
import { checkRecord, leafHash } from '../log/rfc6962.ts'

interface AcknowledgementFindings {
  readonly submissions: number
  readonly receipts: number
  /** What the log once vouched for and doesn't hold, or a word of the coordinator's that doesn't verify. */
  readonly missing: readonly string[]
}

const acknowledgementSchema = z.strictObject({
  checkpoint: z.string(),
  entry: anyBytes,
  index: z.int(),
  path: z.array(bytes32),
})
const MAX_ACKNOWLEDGEMENT_BYTES = 128 * 1024

/**
 * Holds every acknowledgement that the workers kept against the log as it is now: each was signed over a tree that held
 * the submission, and the submission must stand at that index still, byte for byte.
 */
export function examineAcknowledgements(
  folder: string,
  log: PublicLog,
  verifierKey: string,
): AcknowledgementFindings {
  const verifier = parseVerifierKey(verifierKey)
  const missing: string[] = []
  let submissions = 0
  let receipts = 0
  for (const file of globSync(join(folder, '*', 'spool', '*.sqlite'))) {
    const spool = new Database(file, { readonly: true })
    const rows = spool
      .prepare<[], { header: Uint8Array; acknowledgement: Uint8Array }>('SELECT * FROM acknowledged')
      .all()
    spool.close()
    for (const { header, acknowledgement } of rows) {
      const { checkpoint, entry, index, path } = acknowledgementSchema.parse(
        decodeCbor(acknowledgement, { maxBytes: MAX_ACKNOWLEDGEMENT_BYTES }),
      )
      const { size, root } = verifyCheckpoint(checkpoint, verifier)
      checkRecord(path, size, root, index, leafHash(entry))
      const logged = log.bytes[index]
      if (logged === undefined || Buffer.compare(logged, entry) !== 0) missing.push(`entry ${index}`)
      submissions += 1
      receipts += parseHeader(header).count
    }
  }
  return { submissions, receipts, missing }
}
