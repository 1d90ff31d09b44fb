import { Router } from 'express'
import { encodeAnchorsFile } from '../audit/anchors-file.ts'
import { anchorsOf } from '../audit/anchors-of.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import { cursorOf } from './cursor.ts'
import { openHouseOf } from './open-house.ts'

/** About a quarter of a megabyte; each head is signed anew, which takes 256 of them some tens of milliseconds. */
const ANCHORS_PER_PAGE = 256

/** The chain of seals for anybody: GET /v1/anchors?from=<index>, an anchors file of the next mined ones, empty at the end. */
export function anchorsRoutes(coordinator: Coordinator): Router {
  return Router().get('/v1/anchors', (request, response) => {
    const from = cursorOf(request.query.from, 'from') ?? 0
    const { anchorer } = openHouseOf(coordinator)
    const file = anchorsOf(
      coordinator.books.log,
      anchorer.anchors(from, from + ANCHORS_PER_PAGE),
      ANCHORS_PER_PAGE,
    )
    response.type('application/cbor').send(Buffer.from(encodeAnchorsFile(file)))
  })
}
