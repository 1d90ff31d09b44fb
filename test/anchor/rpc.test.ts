import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { RequestListener, Server } from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { parseBtcAmount } from '../../anchor/amount.ts'
import { type BitcoinRpc, connectRpc } from '../../anchor/rpc.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { sendJson, serveRpc } from './serve-rpc.ts'

describe('against bitcoind', () => {
  let node: RegtestNode

  beforeAll(async () => {
    node = await startBitcoind()
  })

  afterAll(async () => {
    await node.stop()
  })

  it('gives the result of a call', async () => {
    expect(await node.rpc.call('getblockcount')).toBe(0)
    expect(await node.rpc.call('getblockheader', await node.rpc.call('getblockhash', 0), true)).toMatchObject(
      {
        height: 0,
      },
    )
  })

  it.each([
    ['getblockhash', [999_999], -8],
    ['getblock', ['00'.repeat(32)], -5],
    ['nosuchmethod', [], -32601],
    ['getblockhash', ['x'], -3],
    ['sendrawtransaction', ['00'], -22],
  ])("keeps the node's code when it refuses %s %j", async (method, params, rpcCode) => {
    await expect(node.rpc.call(method, ...params)).rejects.toMatchObject({
      name: 'RpcError',
      code: 'rpc_refused',
      rpcCode,
      sent: 'yes',
      message: expect.stringContaining(method),
    })
  })

  it('addresses each call to its wallet, whatever the name and whether bitcoin-core knows the method', async () => {
    for (const name of ['first', 'a b/ü?#%']) await node.rpc.call('createwallet', name)
    for (const name of ['first', 'a b/ü?#%']) {
      const wallet = node.rpc.wallet(name)
      expect(await wallet.call('getwalletinfo')).toMatchObject({ walletname: name })
      expect(await wallet.call('listdescriptors')).toMatchObject({ wallet_name: name })
    }
    await expect(node.rpc.call('getwalletinfo')).rejects.toMatchObject({ rpcCode: -19 })
    await expect(node.rpc.wallet('third').call('getwalletinfo')).rejects.toMatchObject({ rpcCode: -18 })
  })

  it('turns away wrong credentials before the node reads the call', async () => {
    const rpc = connectRpc({ url: node.rpcUrl, username: 'somebody', password: 'wrong' })
    await expect(rpc.call('stop')).rejects.toMatchObject({ code: 'rpc_unauthorized', sent: 'no' })
    rpc.close()
    expect(await node.rpc.call('getblockcount')).toBe(0)
  })

  it('calls many times side by side', async () => {
    const counts = await Promise.all(Array.from({ length: 200 }, () => node.rpc.call('getblockcount')))
    expect(new Set(counts)).toEqual(new Set([0]))
  })

  it('asserts that nobody passes a bigint or two kinds of credentials', async () => {
    await expect(node.rpc.call('settxfee', 1n)).rejects.toThrow('formatBtcAmount')
    expect(() => connectRpc({ url: node.rpcUrl })).toThrow('credentials')
    expect(() => connectRpc({ url: node.rpcUrl, cookieFile: 'x', username: 'y' })).toThrow('credentials')
    expect(() => connectRpc({ url: 'https://127.0.0.1', username: 'y' })).toThrow('plain http')
  })
})

/** What a healthy node never does: an HTTP server of our own does it. */
describe('against a server that misbehaves', () => {
  let server: Server
  let url: string
  let rpc: BitcoinRpc
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'assay-rpc-'))
  })

  afterEach(async () => {
    rpc.close()
    server.closeAllConnections()
    server.close()
    await rm(folder, { recursive: true })
  })

  async function serve(listener: RequestListener, timeoutMs?: number): Promise<void> {
    ;({ server, url } = await serveRpc(listener))
    const credentials = { url, username: 'u', password: 'p' }
    rpc = connectRpc(timeoutMs === undefined ? credentials : { ...credentials, timeoutMs })
  }

  it('keeps every digit of numbers that a double would round', async () => {
    await serve((_request, response) =>
      sendJson(
        response,
        '{"result":[1234567.12345678,0.00000001,20999999.97690000,0],"error":null,"id":"1"}',
      ),
    )
    const amounts = await rpc.call('anything')
    expect(amounts).toEqual(['1234567.12345678', 0.00000001, '20999999.97690000', 0])
    expect(Array.isArray(amounts) && amounts.map(parseBtcAmount)).toEqual([
      123_456_712_345_678n,
      1n,
      2_099_999_997_690_000n,
      0n,
    ])
  })

  it('follows no redirect', async () => {
    let calls = 0
    await serve((_request, response) => {
      calls += 1
      response.writeHead(302, { location: `${url}/elsewhere` }).end()
    })
    await expect(rpc.call('getblockcount')).rejects.toMatchObject({ code: 'rpc_malformed', sent: 'unknown' })
    expect(calls).toBe(1)
  })

  it.each([
    ['HTML', 'text/html', '<html>'],
    ['broken JSON', 'application/json', '{"result":'],
    ['null', 'application/json', 'null'],
    ['a list', 'application/json', '[]'],
    ['no result', 'application/json', '{"error":null}'],
    ['neither result nor error', 'application/json', '{}'],
    ['a repeated key', 'application/json', '{"result":1,"result":2,"error":null}'],
  ])('calls %s malformed, since the node may have acted', async (_what, type, body) => {
    await serve((_request, response) => {
      response.writeHead(200, { 'content-type': type }).end(body)
    })
    await expect(rpc.call('getblockcount')).rejects.toMatchObject({ code: 'rpc_malformed', sent: 'unknown' })
  })

  it('calls an answer without end malformed', async () => {
    await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      const chunk = Buffer.alloc(1024 * 1024)
      const more = () => {
        while (!response.destroyed && response.write(chunk));
        response.once('drain', more)
      }
      more()
    })
    await expect(rpc.call('getblock')).rejects.toMatchObject({ code: 'rpc_malformed', sent: 'unknown' })
  })

  it.each([
    [401, 'rpc_unauthorized'],
    [403, 'rpc_unauthorized'],
    [503, 'rpc_unreachable'],
  ])('knows that HTTP %i turned the call away unread', async (status, code) => {
    await serve((_request, response) => {
      response.writeHead(status).end()
    })
    await expect(rpc.call('getblockcount')).rejects.toMatchObject({ code, sent: 'no' })
  })

  it('knows a node that still loads', async () => {
    await serve((_request, response) =>
      sendJson(
        response,
        '{"result":null,"error":{"code":-28,"message":"Loading block index…"},"id":"1"}',
        500,
      ),
    )
    await expect(rpc.call('sendrawtransaction')).rejects.toMatchObject({
      code: 'rpc_warming_up',
      rpcCode: -28,
      sent: 'no',
    })
  })

  it('does not know what became of a call without an answer', async () => {
    await serve(() => {}, 50)
    await expect(rpc.call('sendrawtransaction')).rejects.toMatchObject({
      code: 'rpc_timeout',
      sent: 'unknown',
    })
  })

  it('waits longer for an import of descriptors, which reads blocks for hours', async () => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
    await serve((_request, response) => {
      void answered.then(() => sendJson(response, '{"result":[],"error":null,"id":"1"}'))
    }, 50)
    const imported = rpc.call('importdescriptors', [])
    await expect(rpc.call('getwalletinfo')).rejects.toMatchObject({ code: 'rpc_timeout' })
    answer()
    expect(await imported).toEqual([])
  })

  it('does not know what became of a call whose connection broke', async () => {
    await serve((request) => request.socket.destroy())
    await expect(rpc.call('sendrawtransaction')).rejects.toMatchObject({
      code: 'rpc_unreachable',
      sent: 'unknown',
    })
  })

  it('does not know what became of a call whose answer broke off', async () => {
    await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 })
      response.write('{"result":', () => response.destroy())
    })
    await expect(rpc.call('sendrawtransaction')).rejects.toMatchObject({
      code: 'rpc_unreachable',
      sent: 'unknown',
    })
  })

  it('knows that nothing was sent where nobody listens', async () => {
    await serve(() => {})
    server.close()
    await once(server, 'close')
    await expect(rpc.call('getblockcount')).rejects.toMatchObject({ code: 'rpc_unreachable', sent: 'no' })
  })

  it('opens eight connections at most, and knows that a call which waited for one was not sent', async () => {
    const { promise: eightCalls, resolve } = Promise.withResolvers<void>()
    let calls = 0
    await serve(() => {
      calls += 1
      if (calls === 8) resolve()
    })
    const waiting = Promise.allSettled(Array.from({ length: 20 }, () => rpc.call('getblockcount')))
    await eightCalls
    rpc.close()
    const sent = (await waiting).map((outcome) => outcome.status === 'rejected' && outcome.reason.sent)
    expect(sent).toEqual([...Array(8).fill('unknown'), ...Array(12).fill('no')])
    expect(calls).toBe(8)
  })

  it('refuses calls beyond its queue', async () => {
    await serve(() => {})
    const waiting = Array.from({ length: 1024 }, () => rpc.call('getblockcount'))
    const outcomes = Promise.allSettled(waiting)
    await expect(rpc.call('getblockcount')).rejects.toMatchObject({
      code: 'rpc_unreachable',
      sent: 'no',
      message: expect.stringContaining('1024'),
    })
    rpc.close()
    expect((await outcomes).every(({ status }) => status === 'rejected')).toBe(true)
  })

  it('ends the calls under way when closed, also through a wallet, and takes no more', async () => {
    await serve(() => {})
    const call = rpc.call('sendrawtransaction')
    const failed = expect(call).rejects.toMatchObject({ code: 'rpc_unreachable', sent: 'unknown' })
    await once(server, 'request')
    rpc.wallet('any').close()
    rpc.close()
    await failed
    await expect(rpc.call('getblockcount')).rejects.toMatchObject({ code: 'rpc_unreachable', sent: 'no' })
  })
})
