import { beforeAll, describe, expect, test } from 'vitest'
import { checkHeaderChain } from '../../../anchor/header-chain.ts'
import { encodeProof, type Proof } from '../../../src/proof/proof.ts'
import { CHECK_NAMES, type CheckName } from '../../../src/proof/proof-report.ts'
import { type ProofReader, verifyProof } from '../../../src/proof/verify-proof.ts'
import { fill, INTERNAL_KEY, makeProof, ORIGIN } from './synthetic-proof.ts'

let proof: Proof
let reader: Required<Pick<ProofReader, 'headerAt'>>

function readerOf(headers: Uint8Array) {
  const chain = checkHeaderChain(headers, 'regtest')
  return { headerAt: (height: number) => (height > chain.tipHeight ? null : chain.headerAt(height)) }
}

beforeAll(() => {
  const made = makeProof()
  proof = made.proof
  reader = readerOf(made.headers)
})

describe('a whole proof', () => {
  test.each(['dual', 'taproot'] as const)(
    'passes every check under %s and says what it proves',
    async (method) => {
      const made = makeProof({ method })
      const report = await verifyProof(encodeProof(made.proof), readerOf(made.headers))
      expect(report.checks.map(({ name, ok }) => [name, ok])).toEqual(CHECK_NAMES.map((name) => [name, true]))
      expect(report).toMatchObject({
        ok: true,
        existed: true,
        failed: null,
        origin: ORIGIN,
        size: 6,
        anchorIndex: 9,
        height: 1,
        job: Buffer.from(fill('job')).toString('hex'),
      })
      expect(report.blockTimeUnix).toBe(1_296_688_602 + 600)
      expect(report.txid).toMatch(/^[0-9a-f]{64}$/)
      expect(report.receiptId).toMatch(/^[0-9a-f]{64}$/)
      expect(report.worker).toMatch(/^[0-9a-f]{64}$/)
    },
  )

  test.each([
    [
      'one receipt, one entry, one transaction',
      { receipts: 1, receiptIndex: 0, entries: 1, entryIndex: 0, transactions: 1, position: 0 },
    ],
    [
      'the last of an odd number of each',
      { receipts: 7, receiptIndex: 6, entries: 7, entryIndex: 6, transactions: 7, position: 6 },
    ],
    [
      'the first of two',
      { receipts: 2, receiptIndex: 0, entries: 2, entryIndex: 0, transactions: 2, position: 0 },
    ],
  ])('verifies for %s', async (_name, shape) => {
    const made = makeProof(shape)
    expect(await verifyProof(encodeProof(made.proof), readerOf(made.headers))).toMatchObject({
      existed: true,
    })
  })

  test('for one receipt of a million in a block of 3,000 transactions it takes at most 2,000 bytes', async () => {
    const made = makeProof({
      receipts: 62_500,
      receiptIndex: 31_250,
      entries: 17,
      entryIndex: 8,
      transactions: 3_000,
      position: 1_700,
    })
    const bytes = encodeProof(made.proof)
    expect(await verifyProof(bytes, readerOf(made.headers))).toMatchObject({ existed: true })
    expect(bytes.length).toBeLessThanOrEqual(2_000)
  })
})

describe('what the reader knows', () => {
  test('without headers the proof holds together, and that it existed is not said', async () => {
    const report = await verifyProof(encodeProof(proof))
    expect(report).toMatchObject({ ok: true, existed: false, failed: null })
    expect(report.checks.at(-1)).toMatchObject({ name: 'header_chain', ok: null })
  })

  test('a chain without that block, or with another there, fails the header chain alone', async () => {
    for (const headerAt of [() => null, async () => reader.headerAt(2)]) {
      const report = await verifyProof(encodeProof(proof), { headerAt })
      expect(report).toMatchObject({ ok: false, existed: false, failed: 'header_chain' })
      expect(report.checks.filter(({ ok }) => ok !== true).length).toBe(1)
    }
  })

  test("what the reader's headers throw passes through", async () => {
    const headerAt = () => Promise.reject(new Error('node is down'))
    await expect(verifyProof(encodeProof(proof), { headerAt })).rejects.toThrow('node is down')
  })

  test('keys that the reader did not give are named', async () => {
    const bytes = encodeProof(proof)
    const keys = { logKey: proof.logKey, internalKey: INTERNAL_KEY }
    expect((await verifyProof(bytes, reader)).unpinned).toEqual(['logKey', 'internalKey'])
    expect(await verifyProof(bytes, { ...reader, ...keys })).toMatchObject({ existed: true, unpinned: [] })
  })

  test.each<[keyof ProofReader, CheckName]>([
    ['logKey', 'checkpoint_signature'],
    ['internalKey', 'commitment'],
  ])('another %s than the one given fails', async (key, failed) => {
    const report = await verifyProof(encodeProof(proof), { ...reader, [key]: fill('another') })
    expect(report).toMatchObject({ ok: false, existed: false })
    expect(report.checks.filter(({ ok }) => ok === false).map(({ name }) => name)).toContain(failed)
  })
})

const other = () => makeProof({ receipts: 6, receiptIndex: 2, entries: 7, entryIndex: 3 }).proof
const flip = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))

describe('each check finds its own fault', () => {
  test.each<[CheckName, string, () => Partial<Proof>]>([
    ['receipt', 'bytes that are no receipt', () => ({ receipt: fill('no receipt') })],
    ['receipt_path', 'another receipt', () => ({ receipt: other().receipt })],
    ['receipt_path', 'a path too short', () => ({ receiptPath: proof.receiptPath.slice(1) })],
    ['receipt_path', 'a path too long', () => ({ receiptPath: [...proof.receiptPath, fill('more')] })],
    [
      'receipt_path',
      'a changed sibling',
      () => ({ receiptPath: [fill('changed'), ...proof.receiptPath.slice(1)] }),
    ],
    ['submission', 'bytes that are no submission header', () => ({ submission: fill('no header') })],
    ['receipt_path', "another submission's header", () => ({ submission: other().submission })],
    ['submission_signature', 'a signature over something else', () => ({ signature: other().signature })],
    ['submission_signature', 'another log', () => ({ origin: 'other.example/log' })],
    ['log_path', 'an index beyond the log', () => ({ entryIndex: 6 })],
    ['log_path', 'an index with a shorter way up', () => ({ entryIndex: 3 })],
    ['log_path', 'a log of another depth', () => ({ size: 5 })],
    ['log_path', 'a path too short', () => ({ logPath: proof.logPath.slice(1) })],
    ['log_path', 'a path too long', () => ({ logPath: [...proof.logPath, fill('more')] })],
    [
      'checkpoint_signature',
      'a changed sibling in the log',
      () => ({ logPath: [fill('changed'), ...proof.logPath.slice(1)] }),
    ],
    ['checkpoint_signature', 'the index beside it', () => ({ entryIndex: 5 })],
    ['checkpoint_signature', 'other receipts than the entry names', () => ({ receipts: fill('others') })],
    ['checkpoint_signature', 'a signature of another head', () => ({ logSignature: other().logSignature })],
    ['checkpoint_signature', 'a log key that is no point', () => ({ logKey: new Uint8Array(32).fill(0xff) })],
    ['checkpoint_signature', 'another log key', () => ({ logKey: fill('another log key') })],
    ['commitment', 'another anchor index', () => ({ anchorIndex: 10 })],
    ['commitment', 'another internal key', () => ({ internalKey: proof.receiptPath[0] ?? fill('') })],
    [
      'commitment',
      "another method's anchor",
      () => ({ anchor: makeProof({ method: 'taproot' }).proof.anchor }),
    ],
    ['transaction', 'bytes that are no transaction', () => ({ anchor: fill('no transaction') })],
    [
      'branch',
      'a transaction changed in its lock time',
      () => ({ anchor: flip(proof.anchor, proof.anchor.length - 1) }),
    ],
    ['branch', 'another position', () => ({ branch: { ...proof.branch, position: 3 } })],
    ['branch', 'no siblings', () => ({ branch: { position: 0, siblings: [] } })],
    ['branch', 'a position beyond the siblings', () => ({ branch: { ...proof.branch, position: 8 } })],
    ['header_pow', 'a header harder than its hash', () => ({ header: proof.header.with(75, 0x1d) })],
    ['header_chain', 'another height', () => ({ height: 2 })],
    ['header_chain', 'a height beyond the chain', () => ({ height: 2 ** 40 })],
  ])('%s: %s', async (name, _fault, change) => {
    const report = await verifyProof(encodeProof({ ...proof, ...change() }), reader)
    expect(report).toMatchObject({ ok: false, existed: false })
    expect(report.checks.find((check) => check.name === name)?.ok).toBe(false)
  })

  test('a signature that is not the one in the log fails there, too', async () => {
    const report = await verifyProof(encodeProof({ ...proof, signature: flip(proof.signature, 0) }), reader)
    expect(report.checks.filter(({ ok }) => ok === false).map(({ name }) => name)).toEqual([
      'submission_signature',
      'checkpoint_signature',
    ])
    expect(report.failed).toBe('submission_signature')
  })

  test('what could not be checked is not called failed', async () => {
    const report = await verifyProof(encodeProof({ ...proof, logPath: [] }), reader)
    const named = (ok: boolean | null) => report.checks.filter((one) => one.ok === ok).map(({ name }) => name)
    expect(named(false)).toEqual(['log_path'])
    expect(named(null)).toEqual(['checkpoint_signature', 'commitment'])
    expect(report.failed).toBe('log_path')
  })
})

describe('hostile bytes', () => {
  test.each(['dual', 'taproot'] as const)('any changed byte of a %s proof fails', async (method) => {
    const made = makeProof({ method })
    const bytes = encodeProof(made.proof)
    const own = readerOf(made.headers)
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Uint8Array.from(bytes)
      changed[at] = (bytes[at] ?? 0) ^ (1 << (at % 8))
      const { ok, failed } = await verifyProof(changed, own)
      expect(ok, `byte ${at}`).toBe(false)
      expect(failed, `byte ${at}`).not.toBeNull()
    }
  })

  test('cut at any length, or lengthened, it is malformed', async () => {
    const bytes = encodeProof(proof)
    for (let length = 0; length < bytes.length; length += 1) {
      expect((await verifyProof(bytes.subarray(0, length), reader)).failed, `${length} bytes`).toBe('format')
    }
    expect((await verifyProof(Uint8Array.of(...bytes, 0), reader)).failed).toBe('format')
  })

  test('a malformed file leaves every later check unmade', async () => {
    const report = await verifyProof(new Uint8Array(), reader)
    expect(report.checks.map(({ name }) => name)).toEqual([...CHECK_NAMES])
    expect(report.checks.filter(({ ok }) => ok !== null).map(({ name }) => name)).toEqual(['format'])
    expect(report).toMatchObject({
      ok: false,
      receiptId: null,
      txid: null,
      height: null,
      blockTimeUnix: null,
    })
  })
})
