import assert from 'node:assert/strict'
import type { Readable, Writable } from 'node:stream'
import { MAX_MODEL_BYTES } from '../onnx/admission.ts'

/** A small map, JSON, beside a body that is never copied into it: tensors and models are megabytes. */
export interface Message {
  header: unknown
  body: Uint8Array
}

/** uint32 BE length of the header, uint32 BE length of the body. */
const PREFIX_BYTES = 8

/** 64 shapes of 16 dimensions with their names fit ten times. */
const MAX_HEADER_BYTES = 256 * 1024

/** The largest body is a model to measure; tensor bundles are smaller. */
const MAX_BODY_BYTES = MAX_MODEL_BYTES

/** @param bodies one after the other the message's body */
export function writeMessage(stream: Writable, header: unknown, bodies: readonly Uint8Array[]): void {
  const head = Buffer.from(JSON.stringify(header))
  const bodyBytes = bodies.reduce((sum, { length }) => sum + length, 0)
  assert(head.length <= MAX_HEADER_BYTES && bodyBytes <= MAX_BODY_BYTES)
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.writeUInt32BE(head.length, 0)
  prefix.writeUInt32BE(bodyBytes, 4)
  stream.cork()
  stream.write(Buffer.concat([prefix, head]))
  for (const body of bodies) stream.write(body)
  stream.uncork()
}

/** Until the stream ends; a message that it cuts off is dropped. Throws what the stream does, SyntaxError, and RangeError past a limit. */
export async function* readMessages(stream: Readable): AsyncGenerator<Message, undefined> {
  let held: Buffer[] = []
  let heldBytes = 0
  let wantedBytes = PREFIX_BYTES
  for await (const chunk of stream) {
    held.push(chunk)
    heldBytes += chunk.length
    while (heldBytes >= wantedBytes) {
      const [first] = held
      const bytes = first !== undefined && held.length === 1 ? first : Buffer.concat(held)
      const bodyStart = PREFIX_BYTES + bytes.readUInt32BE(0)
      const end = bodyStart + bytes.readUInt32BE(4)
      if (bodyStart > PREFIX_BYTES + MAX_HEADER_BYTES || end > bodyStart + MAX_BODY_BYTES) {
        throw new RangeError('the message is longer than any that is sent')
      }
      if (bytes.length >= end) {
        const header: unknown = JSON.parse(bytes.toString('utf8', PREFIX_BYTES, bodyStart))
        yield { header, body: bytes.subarray(bodyStart, end) }
      }
      const rest = bytes.length >= end ? bytes.subarray(end) : bytes
      wantedBytes = bytes.length >= end ? PREFIX_BYTES : end
      held = [rest]
      heldBytes = rest.length
    }
  }
}
