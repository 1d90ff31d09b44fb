import { once } from 'node:events'
import type { Server, ServerResponse } from 'node:http'
import { afterEach, expect, it } from 'vitest'
import { type BitcoinRpc, connectRpc } from '../../anchor/rpc.ts'
import { sendJson, serveRpc } from './serve-rpc.ts'

const OK = '{"result":"ok","error":null,"id":"1"}'
const UNKNOWN = { code: 'rpc_unreachable', sent: 'unknown' }

let server: Server
let rpc: BitcoinRpc
/** Of each call, its number on its connection, from 1. */
let seen: number[]

/** Answers the first call of each connection, and does `drop` with what follows. */
async function serveThenDrop(drop: (response: ServerResponse) => void): Promise<void> {
  const calls = new WeakMap<object, number>()
  seen = []
  const served = await serveRpc((request, response) => {
    const count = (calls.get(request.socket) ?? 0) + 1
    calls.set(request.socket, count)
    seen.push(count)
    if (count === 1) sendJson(response, OK)
    else drop(response)
  })
  server = served.server
  rpc = connectRpc({ url: served.url, username: 'u', password: 'p' })
  expect(await rpc.call('getblockcount')).toBe('ok')
}

afterEach(() => {
  rpc.close()
  server.closeAllConnections()
  server.close()
})

it.each(['getblockcount', 'sendrawtransaction', 'listunspent', 'estimatesmartfee'])(
  '%s goes once more over a fresh connection when the kept one is dropped',
  async (method) => {
    await serveThenDrop((response) => response.destroy())
    expect(await rpc.wallet('any').call(method)).toBe('ok')
    expect(seen).toEqual([1, 2, 1])
  },
)

it.each(['sendtoaddress', 'send', 'createwallet', 'generatetoaddress', 'importdescriptors'])(
  '%s, which the node must not hear twice, never uses a kept connection',
  async (method) => {
    await serveThenDrop((response) => response.destroy())
    expect(await rpc.call(method)).toBe('ok')
    expect(await rpc.call(method)).toBe('ok')
    expect(seen).toEqual([1, 1, 1])
  },
)

it('no call goes a third time, nor is its fate known', async () => {
  await serveThenDrop((response) => {
    server.removeAllListeners('request')
    server.on('request', (_request, next) => {
      seen.push(1)
      next.destroy()
    })
    response.destroy()
  })
  await expect(rpc.call('sendrawtransaction')).rejects.toMatchObject(UNKNOWN)
  expect(seen).toEqual([1, 2, 1])
})

it('a node that is gone after the first try leaves the fate of the call unknown', async () => {
  await serveThenDrop((response) => {
    server.close()
    response.destroy()
  })
  await expect(rpc.call('sendrawtransaction')).rejects.toMatchObject({
    ...UNKNOWN,
    message: expect.stringContaining('ECONNREFUSED'),
  })
  expect(seen).toEqual([1, 2])
})

it('a call whose answer had begun does not go again', async () => {
  await serveThenDrop((response) => response.socket?.end('HTTP/1.1 20'))
  await expect(rpc.call('getblockcount')).rejects.toMatchObject(UNKNOWN)
  expect(seen).toEqual([1, 2])
})

it('a call that was under way when the client closed does not go again', async () => {
  await serveThenDrop(() => {})
  const failed = expect(rpc.call('getblockcount')).rejects.toMatchObject(UNKNOWN)
  await once(server, 'request')
  rpc.close()
  await failed
  expect(seen).toEqual([1, 2])
})
