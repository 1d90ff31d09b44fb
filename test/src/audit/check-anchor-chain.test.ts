import type { Transaction } from 'bitcoinjs-lib'
import { beforeAll, describe, expect, test } from 'vitest'
import { encodePayload, opReturnScript, sealScript } from '../../../anchor/commitment.ts'
import { publicKeyOf } from '../../../compute/work/worker-key.ts'
import type { AnchorChainReader } from '../../../src/audit/anchor-chain-reader.ts'
import { type BreakCode, CHECK_NAMES, type CheckName } from '../../../src/audit/anchor-chain-report.ts'
import {
  type AnchorEvidence,
  type AnchorsFile,
  encodeAnchorsFile,
  parseAnchorsFile,
} from '../../../src/audit/anchors-file.ts'
import { checkAnchorChain, lastSealOf } from '../../../src/audit/check-anchor-chain.ts'
import { readLogRoots } from '../../../src/audit/log-roots.ts'
import { encodeEntry } from '../../../src/log/entry.ts'
import { noteSigner } from '../../../src/log/note-signer.ts'
import { ORIGIN } from '../log/log-identity.ts'
import { GENESIS_FIELDS, headOf, memoryLog, SIGNER } from '../monitor/memory-log.ts'
import {
  type Chain,
  FIRST_SEAL,
  makeChain,
  mineHeader,
  type Plan,
  SECRET_KEY,
  SIZES,
} from './synthetic-chain.ts'

let honest: Chain
let taproot: Chain
beforeAll(async () => {
  honest = await makeChain()
  taproot = await makeChain({ method: 'taproot' })
})

/** The file with one anchor changed. */
function withAnchor(
  { genesis, anchors }: AnchorsFile,
  at: number,
  change: Partial<AnchorEvidence>,
): AnchorsFile {
  return { genesis, anchors: anchors.map((anchor, i) => (i === at ? { ...anchor, ...change } : anchor)) }
}

const OTHER_SCRIPT = new Uint8Array(34).fill(1)
const OTHER_PAYLOAD = encodePayload({ index: 1, origin: ORIGIN, size: 1, root: new Uint8Array(32) })
const atOne = (change: (transaction: Transaction) => unknown): NonNullable<Plan['alter']> => {
  return (at, transaction) => {
    if (at === 1) change(transaction)
  }
}

describe('an honest chain of seals', () => {
  test.each(['dual', 'taproot'] as const)(
    'passes every check under %s, from genesis to its last seal',
    (method) => {
      const { file, reader } = method === 'dual' ? honest : taproot
      const report = checkAnchorChain(file, reader)
      expect(report.checks.map(({ name, ok }) => [name, ok])).toEqual(CHECK_NAMES.map((name) => [name, true]))
      expect(report).toMatchObject({
        ok: true,
        complete: true,
        break: null,
        origin: ORIGIN,
        network: 'regtest',
        method,
      })
      expect(report).toMatchObject({ anchors: 3, size: 300, height: 3, seal: lastSealOf(file) })
    },
  )

  test('may have two anchors in one block, in order', async () => {
    const { file, reader } = await makeChain({ heights: [2, 2, 5] })
    expect(checkAnchorChain(file, reader)).toMatchObject({ complete: true, height: 5 })
  })

  test('may be topped up by a second input', async () => {
    const { file, reader } = await makeChain({
      alter: atOne((t) => t.addInput(new Uint8Array(32).fill(1), 0)),
    })
    expect(checkAnchorChain(file, reader)).toMatchObject({ complete: true })
  })

  test('without an anchor yet leads to the seal that genesis names, and says what it did not check', async () => {
    const { file, reader } = await makeChain({ sizes: [] })
    const report = checkAnchorChain(file, reader)
    expect(report).toMatchObject({
      ok: true,
      complete: false,
      break: null,
      anchors: 0,
      size: null,
      height: null,
    })
    expect(report.seal).toEqual({ txid: FIRST_SEAL.txid, vout: FIRST_SEAL.vout })
    expect(lastSealOf(file)).toEqual(report.seal)
    const made = report.checks.filter(({ ok }) => ok === true).map(({ name }) => name)
    expect(made).toEqual(['genesis', 'log_genesis', 'log_key', 'last_seal'])
  })
})

test.each<[keyof AnchorChainReader, CheckName[]]>([
  ['headerAt', ['header_chain']],
  ['verifierKey', ['log_key']],
  ['log', ['log_genesis', 'append_only']],
  ['lastSealUnspent', ['last_seal']],
])('what only %s can show is not said without it', (key, unmade) => {
  const { [key]: _left, ...reader } = honest.reader
  const report = checkAnchorChain(honest.file, reader)
  expect(report).toMatchObject({ ok: true, complete: false, break: null })
  expect(report.checks.filter(({ ok }) => ok === null).map(({ name }) => name)).toEqual(unmade)
})

describe('a lying transaction of anchor 1 breaks the chain there', () => {
  test.each<[BreakCode, Plan]>([
    ['wrong_spender', { alter: atOne(({ ins: [seal] }) => Object.assign(seal ?? {}, { index: 9 })) }],
    ['wrong_spender', { alter: atOne(({ ins: [seal] }) => seal?.hash.fill(7)) }],
    [
      'input_unexpected',
      { alter: atOne((t) => [1, 2].map((i) => t.addInput(new Uint8Array(32).fill(i), 0))) },
    ],
    ['op_return_missing', { alter: atOne((t) => t.outs.pop()) }],
    ['op_return_double', { alter: atOne((t) => t.addOutput(opReturnScript(OTHER_PAYLOAD), 0n)) }],
    ['op_return_mismatch', { alter: atOne((t) => t.outs[1]?.script.set(opReturnScript(OTHER_PAYLOAD))) }],
    ['op_return_mismatch', { alter: atOne((t) => Object.assign(t.outs[1] ?? {}, { value: 1n })) }],
    ['output_unexpected', { alter: atOne((t) => t.addOutput(OTHER_SCRIPT, 1n)) }],
    [
      'tweak_mismatch',
      { alter: atOne((t) => t.outs[0]?.script.set(sealScript(publicKeyOf(SECRET_KEY), OTHER_PAYLOAD))) },
    ],
    [
      'op_return_unexpected',
      { method: 'taproot', alter: atOne((t) => t.addOutput(opReturnScript(OTHER_PAYLOAD), 0n)) },
    ],
    [
      'tweak_mismatch',
      {
        method: 'taproot',
        alter: atOne((t) => t.outs[0]?.script.set(sealScript(publicKeyOf(SECRET_KEY), null))),
      },
    ],
  ])('%s', async (code, plan) => {
    const { file, reader } = await makeChain(plan)
    const report = checkAnchorChain(file, reader)
    expect(report).toMatchObject({ ok: false, complete: false, break: { code, anchor: 1 } })
    // One lie, one failing check: the chain goes on from the transaction as it is.
    const failed = report.checks.filter(({ ok }) => ok === false)
    expect(failed.map((one) => one.break)).toEqual([report.break])
  })

  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['cut short', (bytes) => bytes.subarray(1)],
    [
      'with its witnesses',
      (bytes) =>
        Buffer.concat([
          bytes.subarray(0, 4),
          Buffer.of(0, 1),
          bytes.subarray(4, -4),
          Buffer.of(1, 1, 9),
          bytes.subarray(-4),
        ]),
    ],
  ])('transaction_malformed: %s', (_name, change) => {
    const lying = withAnchor(honest.file, 1, {
      transaction: change(honest.file.anchors[1]?.transaction ?? new Uint8Array()),
    })
    const report = checkAnchorChain(lying, honest.reader)
    expect(report.break).toMatchObject({ code: 'transaction_malformed', anchor: 1 })
  })
})

test('a last transaction that cannot be read leaves no seal to ask for', () => {
  const lying = withAnchor(honest.file, 2, { transaction: new Uint8Array(70) })
  expect(lastSealOf(lying)).toBeNull()
  expect(checkAnchorChain(lying, honest.reader)).toMatchObject({ seal: null, break: { anchor: 2 } })
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
    const log = await readLogRoots(memoryLog(entries), [...SIZES, 2])
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
    const log = await readLogRoots(memoryLog([]), SIZES)
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

describe('a lying chain breaks it', () => {
  const at = (index: number) => {
    const anchor = honest.file.anchors[index]
    if (anchor === undefined) throw new Error(`no anchor ${index}`)
    return anchor
  }

  test('header_unknown: the block is in another chain than the reader trusts, or above it', () => {
    for (const headerAt of [() => null, () => honest.reader.headerAt(4)]) {
      const report = checkAnchorChain(honest.file, { ...honest.reader, headerAt })
      expect(report.break).toMatchObject({ code: 'header_unknown', anchor: 0 })
    }
  })

  test('header_pow: the header has no work in it', () => {
    const { merkleRoot, before } = { merkleRoot: at(1).header.slice(36, 68), before: at(0).header }
    const header = mineHeader(before, merkleRoot, false)
    const { headerAt: _none, ...reader } = honest.reader
    expect(checkAnchorChain(withAnchor(honest.file, 1, { header }), reader).break).toMatchObject({
      code: 'header_pow',
      anchor: 1,
    })
  })

  test.each<[string, () => Partial<AnchorEvidence>]>([
    ['another position', () => ({ branch: { ...at(1).branch, position: 0 } })],
    [
      'a sibling changed',
      () => ({
        branch: { ...at(1).branch, siblings: [new Uint8Array(32), ...at(1).branch.siblings.slice(1)] },
      }),
    ],
    [
      'a level too many',
      () => ({ branch: { ...at(1).branch, siblings: [...at(1).branch.siblings, new Uint8Array(32)] } }),
    ],
    [
      'too deep for a block',
      () => ({ branch: { position: 0, siblings: Array(32).fill(new Uint8Array(32)) } }),
    ],
    ["another anchor's", () => ({ branch: at(2).branch })],
  ])('branch_mismatch: %s', (_name, change) => {
    const report = checkAnchorChain(withAnchor(honest.file, 1, change()), honest.reader)
    expect(report.break).toMatchObject({ code: 'branch_mismatch', anchor: 1 })
  })

  test('height_order: an anchor below the one whose seal it spends', async () => {
    const { file, reader } = await makeChain({ heights: [3, 2, 4] })
    const report = checkAnchorChain(file, reader)
    expect(report.break).toMatchObject({ code: 'height_order', anchor: 1 })
    expect(report.checks.filter(({ ok }) => ok === false).length).toBe(1)
  })

  test('height_order: in one block, before the one whose seal it spends', async () => {
    const { file, reader } = await makeChain({ heights: [1, 1, 2] })
    const [first, second] = [file.anchors[0], file.anchors[1]]
    if (first === undefined || second === undefined) throw new Error('two anchors')
    const swapped = { ...file, anchors: [second, first] }
    const report = checkAnchorChain(swapped, reader)
    expect(report.checks.find(({ name }) => name === 'heights')?.break).toMatchObject({
      code: 'height_order',
      anchor: 1,
    })
  })

  test('seal_spent: the chain of seals goes on where the file ends', () => {
    const report = checkAnchorChain(honest.file, { ...honest.reader, lastSealUnspent: false })
    expect(report.break).toMatchObject({ code: 'seal_spent', anchor: null })
  })
})

test('of several breaks the first on the way from genesis is named, and every check names its own', async () => {
  const alter: Plan['alter'] = (at, transaction) => {
    if (at > 0) transaction.outs.pop()
  }
  const { file, reader } = await makeChain({ alter })
  const lying = withAnchor(file, 0, { branch: { position: 9, siblings: [] } })
  const report = checkAnchorChain(lying, { ...reader, lastSealUnspent: false })
  expect(report.break).toMatchObject({ code: 'branch_mismatch', anchor: 0 })
  expect(report.checks.flatMap((one) => (one.break === null ? [] : [[one.name, one.break.anchor]]))).toEqual([
    ['commitment', 1],
    ['branch', 0],
    ['last_seal', null],
  ])
})

test.each(['dual', 'taproot'] as const)(
  'any changed byte of a %s file is malformed or breaks the chain',
  async (method) => {
    const { file, reader } = await makeChain({ method, sizes: [2, 3] })
    const bytes = encodeAnchorsFile(file)
    expect(checkAnchorChain(parseAnchorsFile(bytes), reader).ok).toBe(true)
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Uint8Array.from(bytes)
      changed[at] = (bytes[at] ?? 0) ^ (1 << (at % 8))
      expect(codeOf(changed, reader), `byte ${at}`).not.toBe('whole')
    }
  },
)

function codeOf(bytes: Uint8Array, reader: AnchorChainReader): string {
  try {
    return checkAnchorChain(parseAnchorsFile(bytes), reader).break?.code ?? 'whole'
  } catch (error) {
    expect(error).toMatchObject({ code: 'anchors_malformed' })
    return 'malformed'
  }
}
