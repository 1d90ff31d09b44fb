import { once } from 'node:events'
import { type ClientRequest, request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { liveStateAnswer } from '../../../src/api/answers.ts'
import { openSite, type Site } from '../coordinator/site.ts'

let node: RegtestNode
let site: Site
beforeAll(async () => {
  node = await startBitcoind()
  site = await openSite(node)
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await node.stop()
})

/** A stream of events, each as its fields; what is empty is a heartbeat. */
async function watch(headers: Record<string, string> = {}) {
  const asking: ClientRequest = request(new URL('/v1/events', site.url), { headers })
  asking.end()
  const [answer] = await once(asking, 'response')
  answer.setEncoding('utf8')
  const chunks = answer[Symbol.asyncIterator]()
  let text = ''
  return {
    status: answer.statusCode,
    type: answer.headers['content-type'],
    async next(): Promise<Record<string, string>> {
      while (!text.includes('\n\n')) text += (await chunks.next()).value
      const [message = '', ...rest] = text.split('\n\n')
      text = rest.join('\n\n')
      const fields = message.split('\n').map((line) => /^(\w+): (.*)$/.exec(line)?.slice(1) ?? [])
      return Object.fromEntries(fields.filter(({ length }) => length > 0))
    },
    async whole(): Promise<string> {
      for await (const chunk of { [Symbol.asyncIterator]: () => chunks }) text += chunk
      return text
    },
    [Symbol.dispose]: () => void asking.destroy(),
  }
}

test('the whole state comes at once, and again when a block and an entry come', async () => {
  using stream = await watch()
  expect([stream.status, stream.type]).toEqual([200, 'text/event-stream; charset=utf-8'])
  const first = await stream.next()
  expect(first).toMatchObject({ event: 'state', id: expect.stringMatching(/^[\w-]{22}$/) })
  const before = liveStateAnswer.parse(JSON.parse(first.data ?? ''))
  expect(before.logSize).toBe(site.coordinator().books.log.size())

  // Anchors may have changed before the round over the block is over: that is told by itself.
  const next = async (isMeant: (state: typeof before) => boolean) => {
    for (;;) {
      const { id, data } = await stream.next()
      if (data !== undefined && isMeant(liveStateAnswer.parse(JSON.parse(data)))) return id
    }
  }
  await site.mine(1)
  expect(await next(({ height }) => (height ?? 0) > (before.height ?? 0))).not.toBe(first.id)
  await site.peer()
  await next(({ logSize }) => logSize > before.logSize)
})

test('who comes back with the newest id is told nothing until something is new', async () => {
  let id: string
  {
    using stream = await watch()
    id = (await stream.next()).id ?? ''
  }
  using again = await watch({ 'last-event-id': id })
  expect(await again.next()).toEqual({})
  using stale = await watch({ 'last-event-id': 'of another state' })
  expect(await stale.next()).toMatchObject({ event: 'state', id })
})

test('the 257th is told to poll, and comes in once another has left', async () => {
  const streams = await Promise.all(Array.from({ length: 256 }, () => watch()))
  using refused = await watch()
  expect(refused.status).toBe(503)
  expect(JSON.parse(await refused.whole())).toMatchObject({ code: 'busy' })
  for (const stream of streams) stream[Symbol.dispose]()
  await expect
    .poll(async () => {
      using stream = await watch()
      return stream.status
    })
    .toBe(200)
})
