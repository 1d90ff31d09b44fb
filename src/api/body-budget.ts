import { Writable } from 'node:stream'
import type { Request, RequestHandler, Response } from 'express'
import { RefusedError } from '../coordinator/refused-error.ts'
import { MAX_BODY_BYTES } from './cbor-body.ts'

/** Bodies on their way in, of all requests together: four of the largest. */
const MAX_BYTES_UNDER_WAY = 4 * MAX_BODY_BYTES
/** Bodies that need no budget, so that slow large ones can't keep the small ones out: what bounds them is the number of connections. */
const SMALL_BODY_BYTES = 16 * 1024

/** Sets aside memory for each body before any of it is read. Throws RefusedError 429 `busy`. */
export function bodyBudget(): RequestHandler {
  let bytesUnderWay = 0
  return (request, response, next) => {
    const bytes = bodyBytes(request)
    if (bytes <= SMALL_BODY_BYTES) return next()
    if (bytesUnderWay + bytes > MAX_BYTES_UNDER_WAY) {
      throw new RefusedError(
        429,
        'busy',
        `bodies of ${bytesUnderWay} bytes are on their way; try again later`,
      )
    }
    bytesUnderWay += bytes
    let held = true
    const release = () => {
      if (held) bytesUnderWay -= bytes
      held = false
    }
    // Read to its end or broken off, or answered without being read.
    request.once('close', release)
    response.once('close', release)
    endUnpacking(request, response)
    next()
  }
}

/** body-parser tells what unpacks a body of no broken line: it would go on up to the limit, in nobody's budget. */
function endUnpacking(request: Request, response: Response): void {
  const pipe = request.pipe.bind(request)
  request.pipe = (unpacker, options) => {
    response.once('close', () => unpacker instanceof Writable && unpacker.destroy())
    return pipe(unpacker, options)
  }
}

/** The most that this body may come to. One of unknown length is cut at the limit, and so is what a packed one holds. */
function bodyBytes({ headers }: Request): number {
  const length = headers['content-length']
  if (headers['transfer-encoding'] !== undefined) return MAX_BODY_BYTES
  if (length === undefined) return 0
  const encoding = headers['content-encoding'] ?? 'identity'
  // Longer ones are refused by their length.
  return encoding === 'identity' ? Math.min(Number(length), MAX_BODY_BYTES) : MAX_BODY_BYTES
}
