import { createServer } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hex } from '../../../compute/work/hex.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { blobsAtUrl } from '../../../src/replay/blob-source.ts'

const BLOB = new Uint8Array(100).fill(7)
const MORE = new Uint8Array(1024 * 1024)
const OTHER = sha256(Uint8Array.of(1))
const PRIVATE = sha256(Uint8Array.of(2))
const ENDLESS = sha256(Uint8Array.of(3))
const FAULTY = sha256(Uint8Array.of(4))
const CUT_OFF = sha256(Uint8Array.of(5))

const server = createServer(({ url }, response) => {
  const name = url?.split('/').at(-1)
  if (name === hex(sha256(BLOB)) || name === hex(OTHER)) response.end(BLOB)
  else if (name === hex(ENDLESS)) {
    const more = () => {
      while (response.write(MORE)) {}
    }
    response.on('drain', more)
    more()
  } else if (name === hex(CUT_OFF)) {
    response
      .writeHead(200, { 'content-length': BLOB.length })
      .write(BLOB.subarray(1), () => response.destroy())
  } else {
    const [status, code] =
      name === hex(PRIVATE)
        ? [403, 'blob_private']
        : name === hex(FAULTY)
          ? [500, 'broken']
          : [404, 'blob_unknown']
    response.writeHead(status).end(JSON.stringify({ code, detail: code }))
  }
})
let url = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address === 'object' && address !== null) url = `http://127.0.0.1:${address.port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

test('a blob is the bytes that its name stands for', async () => {
  expect(await blobsAtUrl(url)(sha256(BLOB), BLOB.length)).toEqual(Buffer.from(BLOB))
})

test('a blob is null where it has a byte more than it may', async () => {
  expect(await blobsAtUrl(url)(sha256(BLOB), BLOB.length - 1)).toBeNull()
})

test.each([
  ['there is none', new Uint8Array(32)],
  ['other bytes are sent', OTHER],
  ['it is private', PRIVATE],
  ['more is sent than a blob can have', ENDLESS],
])('a blob is null where %s', async (_, digest) => {
  expect(await blobsAtUrl(url)(digest)).toBeNull()
})

test('a coordinator that fails is no answer', async () => {
  await expect(blobsAtUrl(url)(FAULTY)).rejects.toMatchObject({ name: 'ClientError', code: 'broken' })
})

test('one that breaks off is no answer either, and is told by its name', async () => {
  await expect(blobsAtUrl(url)(CUT_OFF)).rejects.toMatchObject({
    name: 'ClientError',
    code: 'blob_cut_off',
    message: expect.stringContaining(hex(CUT_OFF)),
  })
})
