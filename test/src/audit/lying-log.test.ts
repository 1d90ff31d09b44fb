import { beforeAll, describe, expect, test } from 'vitest'
import { checkAnchorChain } from '../../../src/audit/check-anchor-chain.ts'
import { readLogRoots } from '../../../src/audit/log-roots.ts'
import { encodeEntry } from '../../../src/log/entry.ts'
import { noteSigner } from '../../../src/log/note-signer.ts'
import { ORIGIN } from '../log/log-identity.ts'
import { GENESIS_FIELDS, headOf, memoryLog, SIGNER } from '../monitor/memory-log.ts'
import { type Chain, makeChain, type Plan, SIZES, withAnchor } from './synthetic-chain.ts'

let honest: Chain
let taproot: Chain
beforeAll(async () => {
  honest = await makeChain()
  taproot = await makeChain({ method: 'taproot' })
})

describe('a lying log breaks the chain', () => {
  test('index_gap: an anchor is missing', () => {
    const { genesis, anchors } = honest.file
    const report = checkAnchorChain({ genesis, anchors: anchors.toSpliced(1, 1) }, honest.reader)
    expect(report.break).toMatchObject({ code: 'index_gap', anchor: 1 })
    expect(report.checks.find(({ name }) => name === 'seal')?.break?.code).toBe('wrong_spender')
  })

  test('index_gap: an index is left out by transactions that follow each other', async () => {
    const { file, reader } = await makeChain({ indexAt: (at) => (at === 2 ? 3 : at) })
    const report = checkAnchorChain(file, reader)
    expect(report.break).toMatchObject({ code: 'index_gap', anchor: 2 })
    expect(report.checks.filter(({ ok }) => ok === false).length).toBe(1)
  })

  test('op_return_mismatch: the file says another index than the transaction', () => {
    const report = checkAnchorChain(withAnchor(honest.file, 2, { index: 3 }), honest.reader)
    expect(report.checks.find(({ name }) => name === 'commitment')?.break?.code).toBe('op_return_mismatch')
  })

  test.each([
    [
      'by another key',
      () => headOf(honest.entries.slice(0, 3), noteSigner(ORIGIN, new Uint8Array(32).fill(9))),
    ],
    [
      'by another log',
      () => headOf(honest.entries.slice(0, 3), noteSigner('other.example/log', new Uint8Array(32).fill(1))),
    ],
    [
      'twice',
      () => headOf(honest.entries.slice(0, 3)) + (headOf(honest.entries.slice(0, 3)).split('\n\n')[1] ?? ''),
    ],
    ['not at all', () => 'assay.example/log\n3\n'],
    ['as another text', () => headOf(honest.entries.slice(0, 3)).replace('\n3\n', '\n4\n')],
  ])('checkpoint_signature: the head is signed %s', (_name, note) => {
    const report = checkAnchorChain(withAnchor(honest.file, 1, { checkpoint: note() }), honest.reader)
    expect(report.break).toMatchObject({ code: 'checkpoint_signature', anchor: 1 })
  })

  test.each<[string, Plan['entriesAt'], number]>([
    [
      'an entry changed below a head',
      (at, entries) => (at === 2 ? entries.with(1, Buffer.from('x')) : entries),
      2,
    ],
    [
      'an entry changed while nothing was added',
      (at, entries) => (at === 1 ? entries.with(2, Buffer.from('x')) : entries),
      1,
    ],
    ['entries are gone', (at, entries) => (at === 1 ? entries.slice(0, 2) : entries), 1],
  ])('not_append_only: %s', async (_name, entriesAt, anchor) => {
    const { file, entries, reader } = await makeChain({ ...(entriesAt && { entriesAt }) })
    const told: [number, number][] = []
    const log = await readLogRoots(memoryLog(entries), [...SIZES, 2], (...progress) => told.push(progress))
    expect(told).toEqual(entries.map((_, at) => [at + 1, entries.length]))
    const report = checkAnchorChain(file, { ...reader, log })
    expect(report.break).toMatchObject({ code: 'not_append_only', anchor })
    expect(report.checks.filter(({ ok }) => ok === false).map(({ name }) => name)).toEqual(['append_only'])
  })

  test('not_append_only: what the heads alone show is shown without a log', async () => {
    const entriesAt = (at: number, entries: Uint8Array[]) =>
      at === 1 ? entries.with(2, Buffer.from('x')) : entries
    const { file, reader } = await makeChain({ entriesAt })
    const { log: _log, ...rest } = reader
    expect(checkAnchorChain(file, rest).break).toMatchObject({ code: 'not_append_only', anchor: 1 })
  })

  test('log_incomplete: the log serves less than was anchored', async () => {
    const served = memoryLog(honest.entries.slice(0, 299))
    const report = checkAnchorChain(honest.file, { ...honest.reader, log: await readLogRoots(served, SIZES) })
    expect(report.break).toMatchObject({
      code: 'log_incomplete',
      anchor: 2,
      detail: expect.stringContaining('299'),
    })
  })

  test('log_incomplete: the log signs a head and keeps entries back', async () => {
    const served = memoryLog(honest.entries.slice(0, 256), headOf(honest.entries))
    const report = checkAnchorChain(honest.file, { ...honest.reader, log: await readLogRoots(served, SIZES) })
    expect(report.break).toMatchObject({ code: 'log_incomplete', anchor: 2 })
  })

  test('genesis_mismatch: the log begins with another entry', async () => {
    const log = await readLogRoots(memoryLog(taproot.entries), SIZES)
    const report = checkAnchorChain(honest.file, { ...honest.reader, log })
    expect(report.break).toMatchObject({ code: 'genesis_mismatch', anchor: null })
  })

  test('genesis_mismatch: the log has no entry', async () => {
    const told: unknown[] = []
    const log = await readLogRoots(memoryLog([]), SIZES, (...progress) => told.push(progress))
    expect(told).toEqual([])
    const report = checkAnchorChain(honest.file, { ...honest.reader, log })
    expect(report.break).toMatchObject({ code: 'genesis_mismatch', anchor: null })
  })

  test.each([
    ['no CBOR', Buffer.from('x')],
    ['an entry of another kind', encodeEntry({ v: 1, kind: 'budget', epoch: 0, msat: 0n })],
  ])('genesis_malformed: %s', (_name, genesis) => {
    const report = checkAnchorChain({ ...honest.file, genesis })
    expect(report).toMatchObject({
      break: { code: 'genesis_malformed', anchor: null },
      origin: null,
      network: null,
    })
    expect(report.checks.filter(({ ok }) => ok === true).map(({ name }) => name)).toEqual([
      'index',
      'transaction',
      'branch',
      'heights',
    ])
  })

  test('log_key_mismatch: it is another log than the one asked about', () => {
    const { verifierKey } = noteSigner(ORIGIN, new Uint8Array(32).fill(9))
    const report = checkAnchorChain(honest.file, { ...honest.reader, verifierKey })
    expect(report.break).toMatchObject({ code: 'log_key_mismatch', anchor: null })
  })

  test('a genesis with a key that is on no curve is no genesis of these seals', async () => {
    const genesis = encodeEntry({ ...GENESIS_FIELDS, internalKey: new Uint8Array(32).fill(0xff) })
    const report = checkAnchorChain({ ...honest.file, genesis }, { verifierKey: SIGNER.verifierKey })
    expect(report.checks.find(({ name }) => name === 'commitment')?.break?.code).toBe('tweak_mismatch')
  })
})
