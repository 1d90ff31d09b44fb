import express from 'express'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { type Listening, listen } from '../../../src/api/listen.ts'
import { type AnchorsFile, encodeAnchorsFile, MAX_ANCHORS } from '../../../src/audit/anchors-file.ts'
import { fetchAnchors } from '../../../src/audit/fetch-anchors.ts'
import { makeChain } from './synthetic-chain.ts'

let file: AnchorsFile
let listening: Listening
beforeAll(async () => {
  file = (await makeChain({ sizes: [1, 2, 3, 4, 5] })).file
})
afterEach(() => listening[Symbol.asyncDispose]())

/** A coordinator that shows what `pageFrom` gives. */
async function serve(pageFrom: (from: number) => Uint8Array): Promise<string> {
  const app = express().get('/v1/anchors', (request, response) => {
    response.send(Buffer.from(pageFrom(Number(request.query.from))))
  })
  listening = await listen(app, { host: '127.0.0.1', port: 0 })
  return listening.url
}

test.each([1, 2, 5, 6])('pages of %i make the whole file', async (perPage) => {
  const url = await serve((from) =>
    encodeAnchorsFile({ ...file, anchors: file.anchors.slice(from, from + perPage) }),
  )
  const fetched: number[] = []
  expect(encodeAnchorsFile(await fetchAnchors(url, (count) => fetched.push(count)))).toEqual(
    encodeAnchorsFile(file),
  )
  expect(fetched).toHaveLength(Math.ceil(5 / perPage))
  expect(fetched.at(-1)).toBe(5)
})

test('a page that is no anchors file is refused', async () => {
  const url = await serve(() => Buffer.from('<html>'))
  await expect(fetchAnchors(url)).rejects.toMatchObject({ code: 'anchors_malformed' })
})

test('pages without an end are left', async () => {
  const [anchor] = file.anchors
  if (anchor === undefined) throw new Error('an anchor')
  const small = { ...anchor, checkpoint: '', transaction: new Uint8Array() }
  const page = encodeAnchorsFile({ ...file, anchors: Array(MAX_ANCHORS / 2).fill(small) })
  const asked: number[] = []
  const url = await serve((from) => {
    asked.push(from)
    return page
  })
  await expect(fetchAnchors(url)).rejects.toMatchObject({ code: 'anchors_too_many' })
  expect(asked).toEqual([0, MAX_ANCHORS / 2, MAX_ANCHORS])
})
