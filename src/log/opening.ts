import { CborError } from '../../compute/work/canonical-cbor.ts'
import { type CborCursor, cborCursor } from '../../compute/work/cbor-cursor.ts'
import { MAX_PART_BYTES } from './parts.ts'

/** What the commitments of a job and its receipt hid until settlement; bundles are blobs, named by digest. */
export interface Opening {
  /** Unix ms on the coordinator's clock, when the answer came. */
  readonly answeredMs: number
  readonly input: Uint8Array
  readonly inputSalt: Uint8Array
  readonly job: Uint8Array
  readonly origin: Uint8Array
  readonly originSalt: Uint8Array
  readonly output: Uint8Array
  readonly outputSalt: Uint8Array
}

/**
 * Of one part, one by one, as views of `bytes`: all at once they take ten times its bytes. Throws CborError on the
 * way.
 */
export function* parseOpenings(bytes: Uint8Array): Generator<Opening, void> {
  if (bytes.length > MAX_PART_BYTES) {
    throw new CborError('cbor_too_large', `${bytes.length} bytes, at most ${MAX_PART_BYTES} are allowed`)
  }
  const cursor = cborCursor(bytes, refuse)
  for (let left = cursor.list(); left > 0; left -= 1) yield readOpening(cursor)
  cursor.end()
}

/** Keys as DAG-CBOR sorts them: shorter first, then bytewise. */
function readOpening(cursor: CborCursor): Opening {
  cursor.map(8)
  const job = digestAt(cursor, 'job')
  const input = digestAt(cursor, 'input')
  cursor.key('origin')
  const origin = cursor.bytes()
  const output = digestAt(cursor, 'output')
  const inputSalt = digestAt(cursor, 'inputSalt')
  cursor.key('answeredMs')
  const answeredMs = cursor.integer()
  const originSalt = digestAt(cursor, 'originSalt')
  const outputSalt = digestAt(cursor, 'outputSalt')
  return { answeredMs, input, inputSalt, job, origin, originSalt, output, outputSalt }
}

function digestAt(cursor: CborCursor, key: string): Uint8Array {
  cursor.key(key)
  const bytes = cursor.bytes()
  return bytes.length === 32 ? bytes : refuse(`${key}: expected 32 bytes`)
}

function refuse(detail: string): never {
  throw new CborError('cbor_malformed', detail)
}
