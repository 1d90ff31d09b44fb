import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { appendPayload } from '../../anchor/payload-file.ts'

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
