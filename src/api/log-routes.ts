import { Router } from 'express'
import type { Coordinator } from '../coordinator/coordinator.ts'
import { RefusedError } from '../coordinator/refused-error.ts'
import { parseTilePath } from '../log/tile.ts'

/** Tiles and blobs never change (C2SP tlog-tiles); partial tiles do not either, but are soon replaced. */
const IMMUTABLE = 'public, max-age=31536000, immutable'

/** The public record, for anybody: C2SP tlog-tiles under /log and blobs by their hash. */
export function logRoutes({ books, witnessing }: Coordinator): Router {
  const routes = Router()

  routes.get('/log/checkpoint', (_request, response) => {
    response.set('cache-control', 'no-cache').type('text/plain').send(witnessing.checkpoint())
  })

  routes.get('/log/tile/*path', (request, response) => {
    const path = request.path.slice('/log/'.length)
    const { level, n, width } = parseTilePath(path)
    const bytes = level === 'entries' ? books.log.entryBundle(n, width) : books.log.tile(level, n, width)
    response.set('cache-control', IMMUTABLE).type('application/octet-stream').send(Buffer.from(bytes))
  })

  routes.get('/blobs/:name', async (request, response) => {
    const blob = await books.blobs.stream(request.params.name)
    if (blob === null) throw new RefusedError(404, 'blob_unknown', 'no such blob is held')
    response
      .set({
        'cache-control': IMMUTABLE,
        'content-length': String(blob.sizeBytes),
        etag: `"${request.params.name}"`,
      })
      .type('application/octet-stream')
    blob.body.on('error', (error) => response.destroy(error)).pipe(response)
    response.once('close', () => blob.body.destroy())
  })

  return routes
}
