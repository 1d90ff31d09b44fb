import { globSync, readFileSync } from 'node:fs'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { OPERATIONS, openapiDocument } from '../../../src/api/openapi/document.ts'
import { openRequester } from '../coordinator/paying-requester.ts'
import { openSite, type Site, TOKEN } from '../coordinator/site.ts'

let node: RegtestNode
let site: Site
beforeAll(async () => {
  node = await startBitcoind()
  site = await openSite(node)
  await site.begin(1)
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await node.stop()
})

test('the document that is served has no fault by the recommended rules', async () => {
  const response = await fetch(new URL('/openapi.json', site.url))
  const source = await response.text()
  expect(JSON.parse(source)).toMatchObject({ openapi: '3.1.1' })
  const config = await createConfig({ extends: ['recommended'] })
  const problems = await lintFromString({ source, config })
  expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([])
})

test('a document with a fault is noticed', async () => {
  const config = await createConfig({ extends: ['recommended'] })
  const { paths: _paths, ...rest } = openapiDocument('1')
  const source = JSON.stringify({ ...rest, paths: { '/x/{y}': { get: { responses: {} } } } })
  const faults = await lintFromString({ source, config })
  expect(faults.map(({ ruleId }) => ruleId)).toEqual(expect.arrayContaining(['path-parameters-defined']))
})

/** Where each router is mounted. */
const PREFIXES: Readonly<Record<string, string>> = {
  'explorer-routes.ts': '',
  'openapi/openapi-routes.ts': '',
  'status-routes.ts': '',
  'list-routes.ts': '',
  'headers-routes.ts': '',
  'log-routes.ts': '',
  'anchors-routes.ts': '',
  'metrics-routes.ts': '',
  'event-routes.ts': '',
  'infer-routes.ts': '/v2',
  'repository-routes.ts': '/v2/repository',
  'worker-routes.ts': '/v1',
  'requester-routes.ts': '/v1',
  'operator-routes.ts': '/v1/operator',
  'key-routes.ts': '/v1/operator/keys',
  'payout-routes.ts': '/v1/operator/payouts',
}

const ROUTE = /(?:routes|Router\(\))\s*\.(get|post|put|patch|delete)\(\s*(pathsOf\()?'([^']*)'/g

/** Every route in the sources, as OpenAPI writes it. */
function routesInSources(): string[] {
  const cwd = new URL('../../../src/api', import.meta.url).pathname
  return globSync('**/*-routes.ts', { cwd }).flatMap((file) => {
    const prefix = PREFIXES[file]
    if (prefix === undefined) throw new Error(`${file} is mounted nowhere that this test knows`)
    const found = [...readFileSync(`${cwd}/${file}`, 'utf8').matchAll(ROUTE)]
    return found.flatMap(([, method = '', ofModel, path = '']) => {
      const tails =
        ofModel === undefined
          ? [path === '/' && prefix !== '' ? '' : path]
          : [`/models/:name${path}`, `/models/:name/versions/:version${path}`]
      return tails.map((tail) => `${method} ${prefix}${tail}`.replaceAll(/[:*](\w+)/g, '{$1}'))
    })
  })
}

test('every route stands in the document, and nothing else', () => {
  const pages = ['get /', 'get /verify'] // by a loop over the pages
  const described = OPERATIONS.map(({ method, path }) => `${method} ${path}`)
  const routes = [...routesInSources(), ...pages]
  expect(routes.length).toBeGreaterThan(50)
  expect(described.toSorted()).toEqual(routes.toSorted())
  expect(new Set(OPERATIONS.map(({ id }) => id)).size).toBe(OPERATIONS.length)
})

describe('what is answered has the form that the document says', () => {
  const asked = OPERATIONS.filter(({ method, answer, path, opener }) => {
    const isJson = answer?.type === 'application/json' && answer.schema !== null
    return method === 'get' && isJson && opener !== 'requester' && !/\{(number|version)\}/.test(path)
  })

  test.each(asked.map((operation) => ({ ...operation, what: `GET ${operation.path}` })))(
    '$what',
    async (one) => {
      const [worker] = Object(await (await fetch(new URL('/v1/workers', site.url))).json())
      const path = one.path
        .replace('{key}', worker.worker)
        .replace('/v2/models/{name}', '/v2/models/identity')
      const response = await fetch(new URL(path, site.url), { headers: { authorization: `Bearer ${TOKEN}` } })
      expect(response.status).toBe(one.status)
      expect(response.headers.get('content-type')).toContain('application/json')
      expect(one.answer?.schema?.safeParse(await response.json()).error).toBeUndefined()
    },
  )

  test('an account', async () => {
    const { authorization } = await openRequester(site, 'alice')
    const response = await fetch(new URL('/v1/requesters/alice', site.url), { headers: { authorization } })
    const schema = OPERATIONS.find(({ id }) => id === 'account')?.answer?.schema
    expect(schema?.safeParse(await response.json()).error).toBeUndefined()
  })
})
