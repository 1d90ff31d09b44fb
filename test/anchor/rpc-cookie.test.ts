import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type BitcoinRpc, connectRpc } from '../../anchor/rpc.ts'
import { sendJson, serveRpc } from './serve-rpc.ts'

let server: Server
let url: string
let rpc: BitcoinRpc
let folder: string
let cookieFile: string
let accepted: string
let seen: (string | undefined)[]

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'assay-cookie-'))
  cookieFile = path.join(folder, '.cookie')
  seen = []
  accepted = basic('__cookie__:first')
  const served = await serveRpc((request, response) => {
    seen.push(request.headers.authorization)
    if (request.headers.authorization === accepted)
      sendJson(response, '{"result":"ok","error":null,"id":"1"}')
    else response.writeHead(401).end()
  })
  server = served.server
  url = served.url
  rpc = connectRpc({ url, cookieFile })
  await writeFile(cookieFile, '__cookie__:first\n')
})

afterEach(async () => {
  rpc.close()
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true })
})

function basic(cookie: string): string {
  return `Basic ${Buffer.from(cookie).toString('base64')}`
}

it('reads it again when the node restarted, and tries once more', async () => {
  expect(await rpc.call('getblockcount')).toBe('ok')
  accepted = basic('__cookie__:second')
  await writeFile(cookieFile, '__cookie__:second')
  expect(await rpc.call('getblockcount')).toBe('ok')
  expect(await rpc.call('getblockcount')).toBe('ok')
  expect(seen).toEqual(['first', 'first', 'second', 'second'].map((name) => basic(`__cookie__:${name}`)))
})

it('does not try again with the cookie that was refused', async () => {
  accepted = basic('__cookie__:other')
  await expect(rpc.call('getblockcount')).rejects.toMatchObject({ code: 'rpc_unauthorized', sent: 'no' })
  expect(seen).toHaveLength(1)
})

it('gives up when the new cookie is refused as well', async () => {
  expect(await rpc.call('getblockcount')).toBe('ok')
  accepted = basic('__cookie__:third')
  await writeFile(cookieFile, '__cookie__:second')
  await expect(rpc.call('getblockcount')).rejects.toMatchObject({ code: 'rpc_unauthorized', sent: 'no' })
  expect(seen).toHaveLength(3)
})

it('takes a missing one for a node that is down', async () => {
  await rm(cookieFile)
  await expect(rpc.call('getblockcount')).rejects.toMatchObject({
    code: 'rpc_unreachable',
    sent: 'no',
    message: expect.stringContaining(cookieFile),
  })
})

it.each([[''], ['nocolon'], [':x'], ['a b:c'], [`u:${'x'.repeat(1100)}`]])('refuses %j', async (text) => {
  await writeFile(cookieFile, text)
  await expect(rpc.call('getblockcount')).rejects.toMatchObject({ code: 'rpc_unauthorized', sent: 'no' })
  expect(seen).toEqual([])
})

it('refuses a cookie file that can not be read', async () => {
  rpc = connectRpc({ url, cookieFile: folder })
  await expect(rpc.call('getblockcount')).rejects.toMatchObject({ code: 'rpc_unauthorized', sent: 'no' })
})
