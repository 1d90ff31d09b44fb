import { type Request, Router } from 'express'
import type { Coordinator } from '../coordinator/coordinator.ts'
import { openHolds } from '../coordinator/holds.ts'
import { RefusedError } from '../coordinator/refused-error.ts'
import { parseTilePath, TILE_WIDTH } from '../log/tile.ts'
import type { KeptAnswers } from './kept-answers.ts'
import { sendTagged, tagged } from './send-tagged.ts'

/** Tiles and blobs never change (C2SP tlog-tiles). */
const IMMUTABLE = 'public, max-age=31536000, immutable'
/** Partial tiles do not either, but are soon replaced: not worth a cache's room. */
const PARTIAL = 'public, max-age=60'

/** The public record, for anybody: C2SP tlog-tiles under /log and blobs by their hash. */
export function logRoutes({ books, witnessing }: Coordinator, answers: KeptAnswers): Router {
  const routes = Router()
  const holds = openHolds(books)
  let last = { checkpoint: '', answer: tagged('') }

  routes.get('/log/checkpoint', (_request, response) => {
    const checkpoint = witnessing.checkpoint()
    if (checkpoint !== last.checkpoint) last = { checkpoint, answer: tagged(checkpoint) }
    sendTagged(response.set('cache-control', 'no-cache'), 'text/plain', last.answer)
  })

  routes.get('/log/tile/*path', (request, response) => {
    const path = request.path.slice('/log/'.length)
    const { level, n, width } = parseTilePath(path)
    const answer = answers(request, () =>
      Buffer.from(level === 'entries' ? books.log.entryBundle(n, width) : books.log.tile(level, n, width)),
    )
    response.set('cache-control', width === TILE_WIDTH ? IMMUTABLE : PARTIAL)
    sendTagged(response, 'application/octet-stream', answer)
  })

  routes.get('/blobs/:name', async (request, response) => {
    const { name } = request.params
    if (holds.isPrivate(Buffer.from(name, 'hex')))
      throw new RefusedError(
        403,
        'blob_private',
        'only the auditors that are drawn see bytes of private work',
      )
    const sizeBytes = books.blobs.sizeBytes(name)
    if (sizeBytes !== null) {
      response.set({ 'accept-ranges': 'bytes', 'cache-control': IMMUTABLE, etag: `"${name}"` })
      if (request.fresh) return void response.status(304).end()
    }
    const range = sizeBytes === null ? null : rangeOf(request, sizeBytes)
    if (range === 'unsatisfiable') {
      response.set('content-range', `bytes */${sizeBytes}`)
      throw new RefusedError(416, 'range_unsatisfiable', `the blob has ${sizeBytes} bytes`)
    }
    const blob = await books.blobs.stream(name, range ?? undefined)
    if (blob === null) throw new RefusedError(404, 'blob_unknown', 'no such blob is held')
    if (range !== null) {
      response.status(206).set('content-range', `bytes ${range.start}-${range.end}/${blob.sizeBytes}`)
    }
    response
      .set({
        'content-length': String(range === null ? blob.sizeBytes : range.end - range.start + 1),
      })
      .type('application/octet-stream')
    blob.body.on('error', (error) => response.destroy(error)).pipe(response)
    response.once('close', () => blob.body.destroy())
  })

  return routes
}

/** RFC 9110 §14.2: the one range that is asked for; null where none is, or several are, or it can't be read: then all is sent. */
function rangeOf(
  request: Request,
  sizeBytes: number,
): { start: number; end: number } | 'unsatisfiable' | null {
  const ranges = request.range(sizeBytes)
  if (ranges === -1) return 'unsatisfiable'
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return null
  return ranges[0] ?? null
}
