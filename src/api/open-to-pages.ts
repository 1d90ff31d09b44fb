import type { RequestHandler } from 'express'

/**
 * What is public and only read, so that pages of other origins may read it, too: log, blobs and what follows from them. By
 * name, since whatever is not named here, an operator's or a requester's above all, stays closed.
 */
const PUBLIC =
  /^\/(openapi\.json$|(log|blobs)\/|v1\/(status|info|auditors|receipts|reconciliation|anchors|epochs|workers|subnets|headers|events)(\/|$))/

/** CORS (Fetch standard) without credentials; a plain GET needs no preflight. */
export const openToPages: RequestHandler = (request, response, next) => {
  if ((request.method === 'GET' || request.method === 'HEAD') && PUBLIC.test(request.path)) {
    response.set({
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'content-range, etag, ratelimit, ratelimit-policy, retry-after',
    })
  }
  next()
}
