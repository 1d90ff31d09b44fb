import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'

export interface Listening extends AsyncDisposable {
  readonly url: string
}

/** Slow or idle clients are let go: a request's head within 10 s, all of it within a minute, long polls aside. */
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 60_000
const KEEP_ALIVE_MS = 65_000
/** Nothing sent or taken for longer than any answer is waited for: who reads an answer slowly for ever is let go. */
const IDLE_MS = 6 * 60_000
/** As many requesters as the queue holds, and as many workers that poll. */
const MAX_CONNECTIONS = 8_192
/** What is under way may end; then connections are cut. */
const CLOSE_GRACE_MS = 2_000

/** Serves `app`; `port` 0 takes a free one. Rejects with the system's error where the address can't be had. */
export async function listen(
  app: Express,
  { host, port }: { host: string; port: number },
): Promise<Listening> {
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS }, app)
  server.keepAliveTimeout = KEEP_ALIVE_MS
  server.setTimeout(IDLE_MS)
  server.maxConnections = MAX_CONNECTIONS
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return {
    url: `http://${name}:${address.port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeIdleConnections()
      const cut = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS)
      await closed
      clearTimeout(cut)
    },
  }
}
