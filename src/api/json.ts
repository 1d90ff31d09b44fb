import type { Response } from 'express'
import { MIN_PACKED_BYTES } from './pack-answer.ts'
import { packText } from './pack-text.ts'
import { sendTagged, type Tagged, tagged } from './send-tagged.ts'

/** JSON for people and tools: money (bigint) as decimal strings, bytes as hex. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, function (this: unknown, key, inner: unknown) {
    // Buffer.toJSON has turned bytes into an object by now: look at what its holder really has.
    const held: unknown = typeof this === 'object' && this !== null ? Reflect.get(this, key) : inner
    if (held instanceof Uint8Array) return Buffer.from(held).toString('hex')
    return typeof inner === 'bigint' ? inner.toString() : inner
  })
}

/** So that who polls is sent only what has changed. */
export function sendJson(response: Response, value: unknown): void {
  sendKept(response, tagged(toJson(value)))
}

/** JSON that is made already. */
export function sendKept(response: Response, json: Tagged): void {
  const send = () => sendTagged(response.set('cache-control', 'no-cache'), 'application/json', json)
  // Even to leave an answer as it is takes what packs a sixth of a small one's time.
  if (json.body.length < MIN_PACKED_BYTES) send()
  else packText(response.req, response, send)
}
