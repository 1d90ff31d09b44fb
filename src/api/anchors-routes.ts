import { Router } from 'express'
import { encodeAnchorsFile } from '../audit/anchors-file.ts'
import { anchorsOf } from '../audit/anchors-of.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import { RefusedError } from '../coordinator/refused-error.ts'
import { openHouseOf } from './open-house.ts'

/** About a quarter of a megabyte; each head is signed anew, which takes 256 of them some tens of milliseconds. */
const ANCHORS_PER_PAGE = 256

/** The chain of seals for anybody: GET /v1/anchors?from=<index>, an anchors file of the next mined ones, empty at the end. */
export function anchorsRoutes(coordinator: Coordinator): Router {
  return Router().get('/v1/anchors', (request, response) => {
    const from = Number(request.query.from ?? 0)
    if (!Number.isSafeInteger(from) || from < 0) {
      throw new RefusedError(400, 'cursor_malformed', 'from: expected the index of an anchor')
    }
    const { anchorer } = openHouseOf(coordinator)
    const file = anchorsOf(coordinator.books.log, anchorer.anchors(from), ANCHORS_PER_PAGE)
    response.type('application/cbor').send(Buffer.from(encodeAnchorsFile(file)))
  })
}
