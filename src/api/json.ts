import { hash } from 'node:crypto'
import type { Response } from 'express'

/** JSON for people and tools: money (bigint) as decimal strings, bytes as hex. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, function (this: unknown, key, inner: unknown) {
    // Buffer.toJSON has turned bytes into an object by now: look at what its holder really has.
    const held: unknown = typeof this === 'object' && this !== null ? Reflect.get(this, key) : inner
    if (held instanceof Uint8Array) return Buffer.from(held).toString('hex')
    return typeof inner === 'bigint' ? inner.toString() : inner
  })
}

/** With an ETag of its bytes, so that who polls is sent only what has changed (RFC 9110 §13.1.2). */
export function sendJson(response: Response, value: unknown): void {
  const body = toJson(value)
  response.set({ etag: `"${hash('sha256', body, 'base64url')}"`, 'cache-control': 'no-cache' })
  if (response.req.fresh) response.status(304).end()
  else response.type('application/json').send(body)
}
