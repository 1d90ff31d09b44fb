import { hash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setImmediate } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { publishSubnet } from '../../../src/client/publish-subnet.ts'
import { tinyMarket } from '../coordinator/tiny-market.ts'

/** Time enough for whoever asks for more at once to be seen doing it. */
const TURNS = 200

test('of many models one is sent at a time: a coordinator takes few large bodies at once', async () => {
  const paths: string[] = []
  let underWay = 0
  let most = 0
  const server = createServer(async (request, response) => {
    underWay += 1
    most = Math.max(most, underWay)
    paths.push(request.url ?? '')
    const body = await buffer(request)
    for (let turn = 0; turn < TURNS; turn += 1) await setImmediate()
    underWay -= 1
    response.end(JSON.stringify({ digest: hash('sha256', body), index: 7 }))
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const market = tinyMarket()
  const [model] = market.models
  if (model === undefined) throw new Error('the market has a model')
  const models = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ ...model, name, file: Buffer.from(name) }))
  const url = `http://127.0.0.1:${Object(server.address()).port}`
  expect(await publishSubnet(url, 'token', { ...market, models, dataset: null })).toBe(7)
  const blobs = models.map(() => '/v1/operator/blobs')
  expect(paths).toEqual([...blobs, '/v1/operator/subnets'])
  expect(most).toBe(1)
})
