import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Acknowledgement } from '../../../compute/worker/acknowledgement.ts'
import { trustLog } from '../../../src/client/check-acknowledgement.ts'
import { noteSigner } from '../../../src/log/note-signer.ts'
import { ORIGIN } from '../log/log-identity.ts'
import { appendAll, numberedEntries, openTemporaryLog } from '../log/temporary-log.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'assay-trust-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A log of seven entries, and its acknowledgement of entry `index` at `size`. */
function openLogOfSeven() {
  const { db, log } = openTemporaryLog()
  const entries = numberedEntries(7)
  appendAll(db, log, entries)
  const identity = { origin: ORIGIN, logKey: log.verifierKey }
  const acknowledge = (index: number, size = 7): Acknowledgement => ({
    checkpoint: log.checkpoint(size),
    entry: log.entry(index),
    index,
    path: log.proveRecord(index, size),
  })
  return { identity, acknowledge }
}

const refusal = (code: string) => expect.objectContaining({ name: 'LogTrustError', code })

test('what the log signed and holds is accepted, whoever looks', () => {
  const { identity, acknowledge } = openLogOfSeven()
  const check = trustLog(folder, identity)
  for (const index of [0, 3, 6]) expect(() => check(acknowledge(index))).not.toThrow()
  expect(() => trustLog(folder, identity)(acknowledge(6))).not.toThrow()
})

test.each<[string, (right: Acknowledgement) => Partial<Acknowledgement>]>([
  ['another entry', () => ({ entry: Buffer.from('entry 9') })],
  ['another index', ({ index }) => ({ index: index + 1 })],
  ['an index behind the checkpoint', () => ({ index: 7 })],
  ['a shorter path', ({ path }) => ({ path: path.slice(1) })],
  ['another path', ({ path }) => ({ path: path.map(() => new Uint8Array(32)) })],
  ['another root', ({ checkpoint }) => ({ checkpoint: checkpoint.replace('\n7\n', '\n8\n') })],
  ['no note', () => ({ checkpoint: 'note' })],
])('%s is refused', (_what, change) => {
  const { identity, acknowledge } = openLogOfSeven()
  const right = acknowledge(3)
  const check = trustLog(folder, identity)
  expect(() => check({ ...right, ...change(right) })).toThrow(refusal('acknowledgement_unproven'))
  expect(() => check(right)).not.toThrow()
})

test('the signature of another key is refused', () => {
  const { acknowledge } = openLogOfSeven()
  const logKey = noteSigner(ORIGIN, new Uint8Array(32).fill(9)).verifierKey
  expect(() => trustLog(folder, { origin: ORIGIN, logKey })(acknowledge(3))).toThrow(
    refusal('acknowledgement_unproven'),
  )
})

test('a log that has fewer entries than it had is refused, one that stands still is not', () => {
  const { identity, acknowledge } = openLogOfSeven()
  const check = trustLog(folder, identity)
  check(acknowledge(0, 5))
  check(acknowledge(0, 5))
  expect(() => check(acknowledge(0, 4))).toThrow(refusal('log_shrunk'))
  check(acknowledge(0, 6))
  // A refused one is no measure.
  expect(() => check({ ...acknowledge(0, 7), index: 1 })).toThrow(refusal('acknowledgement_unproven'))
  check(acknowledge(0, 6))
})

test('the key of the first contact stays, for each log its own', () => {
  const { identity } = openLogOfSeven()
  trustLog(folder, identity)
  const logKey = noteSigner(ORIGIN, new Uint8Array(32).fill(9)).verifierKey
  expect(() => trustLog(folder, { origin: ORIGIN, logKey })).toThrow(refusal('log_changed'))
  expect(() => trustLog(folder, identity)).not.toThrow()
  const other = noteSigner('other.example/log', new Uint8Array(32).fill(9))
  expect(() => trustLog(folder, { origin: other.name, logKey: other.verifierKey })).not.toThrow()
})

test('a key of another name than the log, or none, is refused', () => {
  const { identity } = openLogOfSeven()
  expect(() => trustLog(folder, { ...identity, origin: 'other.example/log' })).toThrow(refusal('log_changed'))
  expect(() => trustLog(folder, { ...identity, logKey: 'none' })).toThrow(
    expect.objectContaining({ name: 'NoteError', code: 'key_malformed' }),
  )
})
