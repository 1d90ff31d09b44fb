import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { encodePayload } from '../../anchor/commitment.ts'
import { appendPayload, readPayloads } from '../../anchor/payload-file.ts'

let dir: string
let file: string

beforeEach(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'assay-payloads-'))
  file = path.join(dir, 'payloads')
})

afterEach(() => rmSync(dir, { recursive: true }))

it('appends one line of hex for each payload, in a file of the owner alone', () => {
  appendPayload(file, Buffer.from('00ff', 'hex'))
  appendPayload(file, Buffer.from('a1', 'hex'))
  expect(readFileSync(file, 'utf8')).toBe('00ff\na1\n')
  expect(statSync(file).mode & 0o077).toBe(0)
})

it('closes a line that a crash cut short, so that the next one is whole', () => {
  writeFileSync(file, '00ff\na1')
  appendPayload(file, Buffer.from('b2', 'hex'))
  expect(readFileSync(file, 'utf8')).toBe('00ff\na1\nb2\n')
})

it('fails where there is no folder', () => {
  expect(() => appendPayload(path.join(dir, 'none', 'payloads'), Buffer.from('b2', 'hex'))).toThrow(/ENOENT/)
})

it('is read back as it was written, but for what a crash cut short', () => {
  const payloads = [3, 1, 2].map((size) => {
    return encodePayload({ index: size, origin: 'a.example/log', size, root: new Uint8Array(32) })
  })
  const [first, second, third] = payloads
  if (first === undefined || second === undefined || third === undefined) throw new Error('three payloads')
  appendPayload(file, first)
  writeFileSync(file, Buffer.from(second).toString('hex').slice(0, 79), { flag: 'a' })
  appendPayload(file, third)
  appendPayload(file, Buffer.alloc(40)) // 40 bytes that are no payload
  expect(readPayloads(file)).toEqual([first, third])
})

it('holds nothing while there is no file, or an empty one', () => {
  expect(readPayloads(file)).toEqual([])
  writeFileSync(file, '')
  expect(readPayloads(file)).toEqual([])
})

it('is not read beyond 64 MiB', () => {
  writeFileSync(file, '')
  truncateSync(file, 64 * 1024 * 1024)
  expect(readPayloads(file)).toEqual([])
  truncateSync(file, 64 * 1024 * 1024 + 1)
  expect(() => readPayloads(file)).toThrow(expect.objectContaining({ code: 'payload_file_too_large' }))
})
