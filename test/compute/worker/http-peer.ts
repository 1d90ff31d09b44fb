import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface HttpPeer {
  url: string
  close(): Promise<void>
}

/** An HTTP server on loopback. Whatever `answer` throws ends the connection without an answer. */
export async function startHttpPeer(
  answer: (request: IncomingMessage, body: Uint8Array, response: ServerResponse) => void | Promise<void>,
): Promise<HttpPeer> {
  const server = createServer((request, response) => {
    const chunks: Uint8Array[] = []
    request.on('data', (chunk: Uint8Array) => chunks.push(chunk))
    request.on('end', () => {
      Promise.resolve()
        .then(() => answer(request, Buffer.concat(chunks), response))
        .catch(() => request.socket.destroy())
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
