import { hash } from 'node:crypto'
import type { Response } from 'express'

export interface Tagged {
  readonly body: Buffer
  readonly etag: string
}

/** With an ETag of its bytes (RFC 9110 §13.1.2), weak since they may be packed on the way. */
export function tagged(content: string | Buffer): Tagged {
  // Of text Express would look up charset and length anew at each answer.
  const body = typeof content === 'string' ? Buffer.from(content) : content
  return { body, etag: `W/"${hash('sha256', body, 'base64url')}"` }
}

/** Who has these bytes is sent none. */
export function sendTagged(response: Response, type: string, { body, etag }: Tagged): void {
  response.set('etag', etag)
  if (response.req.fresh) response.status(304).end()
  else response.type(type).send(body)
}
