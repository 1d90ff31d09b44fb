import { createServer } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hex } from '../../../compute/work/hex.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { blobsAtUrl } from '../../../src/replay/blob-source.ts'

const BLOB = new Uint8Array(100).fill(7)
const OTHER = sha256(Uint8Array.of(1))
const PRIVATE = sha256(Uint8Array.of(2))
const ENDLESS = sha256(Uint8Array.of(3))
const FAULTY = sha256(Uint8Array.of(4))

const server = createServer(({ url }, response) => {
  const name = url?.split('/').at(-1)
  if (name === hex(sha256(BLOB)) || name === hex(OTHER)) response.end(BLOB)
  else if (name === hex(ENDLESS)) {
    const more = () => {
      while (response.write(BLOB)) {}
    }
    response.on('drain', more)
    more()
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
  expect(await blobsAtUrl(url, BLOB.length)(sha256(BLOB))).toEqual(Buffer.from(BLOB))
})

test.each([
  ['there is none', new Uint8Array(32)],
  ['other bytes are sent', OTHER],
  ['it is private', PRIVATE],
  ['more is sent than a blob can have', ENDLESS],
])('a blob is null where %s', async (_, digest) => {
  expect(await blobsAtUrl(url, BLOB.length)(digest)).toBeNull()
})

test('a coordinator that fails is no answer', async () => {
  await expect(blobsAtUrl(url)(FAULTY)).rejects.toMatchObject({ name: 'ClientError', code: 'broken' })
})
