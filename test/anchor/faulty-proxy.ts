import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'

/**
 * What a call meets on its way: no answer at all; an answer that isn't the node's; a connection that breaks before the
 * node hears of it; or one that breaks after the node has acted.
 */
export const FAULTS = ['hang', 'error_500', 'drop_before', 'drop_after'] as const
export type Fault = (typeof FAULTS)[number]

export interface FaultyProxy extends AsyncDisposable {
  url: string
  /** Asked for each call; null lets it through. */
  meet(decide: (method: string) => Fault | null): void
}

/** HTTP between a client and a real node, which does to each call what it is told to. */
export async function openFaultyProxy(nodeUrl: string): Promise<FaultyProxy> {
  let decide: (method: string) => Fault | null = () => null

  async function forward(request: IncomingMessage, body: Buffer): Promise<Response> {
    const { authorization = '' } = request.headers
    return fetch(new URL(request.url ?? '/', nodeUrl), {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: new Uint8Array(body),
    })
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request)
    const { method } = JSON.parse(body.toString())
    const fault = decide(String(method))
    if (fault === 'hang') return
    if (fault === 'error_500') {
      response.writeHead(500, { 'content-type': 'text/html' }).end('<h1>Internal Server Error</h1>')
      return
    }
    if (fault === 'drop_before') {
      request.socket.destroy()
      return
    }
    const reply = await forward(request, body)
    const text = await reply.text()
    // Kept connections hide what is dropped: their client tries once more.
    response.shouldKeepAlive = false
    if (fault === 'drop_after') {
      request.socket.destroy()
      return
    }
    response.writeHead(reply.status, { 'content-type': reply.headers.get('content-type') ?? '' }).end(text)
  }

  const server = createServer((request, response) => {
    // A node that is down looks from here like a connection that breaks.
    answer(request, response).catch(() => request.socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    meet(next) {
      decide = next
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
