import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Message, readMessages, writeMessage } from '../../../compute/runtime/message.ts'

async function encode(messages: readonly Message[]): Promise<Buffer> {
  const stream = new PassThrough()
  for (const { header, body } of messages) writeMessage(stream, header, bodiesOf(body))
  stream.end()
  return buffer(stream)
}

/** Whole, or in pieces where there is enough of it. */
function bodiesOf(body: Uint8Array): Uint8Array[] {
  return body.length < 100 ? [body] : [body.subarray(0, 1), body.subarray(1, 60), body.subarray(60)]
}

async function decode(chunks: readonly Buffer[]): Promise<Message[]> {
  const messages: Message[] = []
  for await (const { header, body } of readMessages(Readable.from(chunks))) {
    messages.push({ header, body: Uint8Array.from(body) })
  }
  return messages
}

const message = fc.record({
  header: fc.record({ kind: fc.string(), count: fc.nat() }, { noNullPrototype: true }),
  body: fc.uint8Array({ maxLength: 200 }),
})

describe('messages', () => {
  test('arrive whole however the stream cuts them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { maxLength: 5 }),
        fc.integer({ min: 1, max: 64 }),
        async (sent, size) => {
          const bytes = await encode(sent)
          const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
            bytes.subarray(n * size, (n + 1) * size),
          )
          expect(await decode(chunks)).toEqual(sent)
        },
      ),
    )
  })

  test('a message that the stream cuts off is dropped', async () => {
    const bytes = await encode([
      { header: 1, body: Buffer.from('a') },
      { header: 2, body: Buffer.from('b') },
    ])
    expect(await decode([bytes.subarray(0, -1)])).toEqual([
      { header: 1, body: Uint8Array.from(Buffer.from('a')) },
    ])
  })

  test.each([
    ['header', [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]],
    ['body', [0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]],
  ])('a %s that says it is endless is refused before it is awaited', async (_, prefix) => {
    await expect(decode([Buffer.from(prefix)])).rejects.toThrow(RangeError)
  })

  test('a header that is not JSON is refused', async () => {
    await expect(decode([Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0xff])])).rejects.toThrow(SyntaxError)
  })
})
