import { Router } from 'express'
import { inTurn } from '../../anchor/in-turn.ts'
import { readHeaders } from '../client/fetch-headers.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import { RefusedError } from '../coordinator/refused-error.ts'
import { cursorOf } from './cursor.ts'

/** A quarter of a period, 40 kB: a thousand small calls to the node. */
const HEADERS_PER_PAGE = 504
/** Pages that wait for the node, which anchors and pays meanwhile; more are told to come again. */
const MAX_WAITING = 16
/** Deeper than any reorganisation that Bitcoin has seen: such a page stays as it is. */
const SETTLED_DEPTH = 144
const SETTLED = 'public, max-age=604800'

/** The node's block headers for who has no node: GET /v1/headers?from=<height>, 80 bytes each, empty above the tip. */
export function headersRoutes({ node }: Coordinator): Router {
  const oneAtATime = inTurn()
  let waiting = 0
  return Router().get('/v1/headers', async (request, response) => {
    const from = cursorOf(request.query.from, 'from') ?? 0
    if (waiting >= MAX_WAITING) {
      throw new RefusedError(503, 'busy', 'too many wait for headers; ask again in a moment')
    }
    waiting += 1
    try {
      const { bytes, tipHeight } = await oneAtATime(async () => {
        const { height } = await node.chain()
        const count = Math.max(Math.min(HEADERS_PER_PAGE, height + 1 - from), 0)
        return { bytes: await readHeaders(node, from, count), tipHeight: height }
      })
      const isSettled = from + HEADERS_PER_PAGE + SETTLED_DEPTH <= tipHeight
      response
        .set('cache-control', isSettled ? SETTLED : 'no-cache')
        .type('application/octet-stream')
        .send(Buffer.from(bytes))
    } finally {
      waiting -= 1
    }
  })
}
