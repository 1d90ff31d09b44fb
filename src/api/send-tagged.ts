import { hash } from 'node:crypto'
import type { Response } from 'express'

export interface Tagged {
  /** Bytes as latin1 text: node:http writes text together with the head, and bytes apart. */
  readonly body: string
  readonly etag: string
}

/** With an ETag of its bytes (RFC 9110 §13.1.2), weak since they may be packed on the way. */
export function tagged(content: string | Buffer): Tagged {
  const bytes = Buffer.from(content)
  return { body: bytes.toString('latin1'), etag: `W/"${hash('sha256', bytes, 'base64url')}"` }
}

/** Who has these bytes is sent none. */
export function sendTagged(response: Response, type: string, { body, etag }: Tagged): void {
  response.set('etag', etag)
  if (response.req.fresh) response.status(304).end()
  else response.type(type).set('Content-Length', `${body.length}`).end(body, 'latin1')
}
