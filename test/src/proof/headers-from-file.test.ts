import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { headerHash } from '../../../anchor/block-header.ts'
import { headersFromFile } from '../../../src/proof/headers-from-file.ts'
import { encodeProof } from '../../../src/proof/proof.ts'
import { verifyProof } from '../../../src/proof/verify-proof.ts'
import { makeProof } from './synthetic-proof.ts'

const { proof, headers } = makeProof()
let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-headers-'))
  path = join(folder, 'headers')
})
afterEach(() => rm(folder, { recursive: true }))

test('a proof verifies offline against a file of headers', async () => {
  await writeFile(path, headers)
  const { chain, headerAt } = await headersFromFile(path, 'regtest')
  expect(chain.tipHeight).toBe(3)
  expect(await verifyProof(encodeProof(proof), { headerAt })).toMatchObject({ existed: true })
})

test('outside of the file there are no headers', async () => {
  await writeFile(path, headers.subarray(80))
  const pinned = [{ height: 1, hash: headerHash(proof.header) }]
  const { headerAt } = await headersFromFile(path, 'regtest', { startHeight: 1, pinned })
  expect([0, 1, 3, 4].map((height) => headerAt(height) === null)).toEqual([true, false, false, true])
})

test('a changed file and a missing one are refused', async () => {
  await writeFile(path, headers.with(80 * 2 + 4, 0xff))
  await expect(headersFromFile(path, 'regtest')).rejects.toMatchObject({ name: 'HeaderError' })
  await rm(path)
  await expect(headersFromFile(path, 'regtest')).rejects.toMatchObject({ code: 'headers_unreadable' })
})
