import { hash } from 'node:crypto'
import type { Response } from 'express'

/** With an ETag of its bytes (RFC 9110 §13.1.2), weak since they may be packed on the way: who has them is sent none. */
export function sendTagged(response: Response, type: string, body: string | Buffer): void {
  response.set('etag', `W/"${hash('sha256', body, 'base64url')}"`)
  if (response.req.fresh) response.status(304).end()
  else response.type(type).send(body)
}
