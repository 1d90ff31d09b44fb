import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NETWORK_NAMES } from '../../../anchor/network.ts'
import { decodeCbor, encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { type Entry, EntryError, encodeEntry, parseEntry } from '../../../src/log/entry.ts'
import { MAX_ENTRY_BYTES } from '../../../src/log/entry-bundle.ts'
import vectors from '../../vectors/entry.json' with { type: 'json' }

/** JSON of a vector to the entry's own values: `{hex}` is bytes, `{int}` is money. */
function revive(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(revive)
  if ('hex' in value) return new Uint8Array(Buffer.from(String(value.hex), 'hex'))
  if ('int' in value) return BigInt(String(value.int))
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revive(inner)]))
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const fromHex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))
const cases = vectors.entries.map(({ entry, bytes }) => ({ kind: entry.kind, entry, bytes: fromHex(bytes) }))

/** The vector of that kind as a plain map, to be spoiled. */
function mapOf(kind: string): Record<string, unknown> {
  const found = cases.find((one) => one.kind === kind)
  if (found === undefined) throw new Error(`no vector of kind ${kind}`)
  return { ...Object(decodeCbor(found.bytes, { maxBytes: MAX_ENTRY_BYTES })) }
}

const malformed = expect.objectContaining({ name: 'EntryError', code: 'entry_malformed' })

describe('vectors', () => {
  test.each(cases)('$kind parses to its fields and encodes to its bytes', ({ entry, bytes }) => {
    const parsed = parseEntry(bytes)
    expect(parsed).toEqual(revive(entry))
    expect(hex(encodeEntry(parsed))).toBe(hex(bytes))
  })

  test.each(cases)(
    '$kind is refused when cut, lengthened, or with any key missing, unknown or of another type',
    ({ kind, bytes }) => {
      for (let length = 0; length < bytes.length; length += 1) {
        expect(() => parseEntry(bytes.subarray(0, length))).toThrow(malformed)
      }
      expect(() => parseEntry(Uint8Array.of(...bytes, 0))).toThrow(malformed)
      const map = mapOf(kind)
      expect(() => parseEntry(encodeCbor({ ...map, extra: 1 }))).toThrow(malformed)
      for (const key of Object.keys(map)) {
        const { [key]: _dropped, ...rest } = map
        const wrong = key === 'succeeds' ? [false, []] : [null, false, []]
        for (const spoiled of [rest, ...wrong.map((value) => ({ ...map, [key]: value }))]) {
          expect(() => parseEntry(encodeCbor(spoiled)), key).toThrow(malformed)
        }
      }
    },
  )
})

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const bytes32 = bytesOf(32)
const bytes64 = bytesOf(64)
const someBytes = fc.uint8Array({ maxLength: 600 })
const int = fc.maxSafeNat()
const positive = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff })
const money = fc.bigInt(0n, 2n ** 63n - 1n)
const text = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 90 })
const coin = fc.record({ txid: bytes32, vout: uint32, sats: money })
const fail = fc.record({ entry: int, receipt: bytes32 })
const evidence = fc.array(fail, { maxLength: 3 })
const someEvidence = fc.array(fail, { minLength: 1, maxLength: 3 })
const name = fc.stringMatching(/^[a-z0-9-]{1,64}$/)
const v = fc.constant(1 as const)
const kind = <K extends string>(name: K) => fc.constant(name)

const anyEntry: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({
    v,
    kind: kind('genesis'),
    network: fc.constantFrom(...NETWORK_NAMES),
    method: fc.constantFrom('dual' as const, 'taproot' as const),
    origin: fc.stringMatching(/^[a-z./-]{1,255}$/),
    internalKey: bytes32,
    logKey: bytes32,
    auditor: bytes32,
    treasury: text,
    seal: coin,
    epoch: fc.record({
      startHeight: int,
      blocks: positive,
      verdictBlocks: positive,
      finalDepth: positive,
      beaconDelay: positive,
      maturityBlocks: positive,
      auditRoundBlocks: positive,
      suspensionBlocks: positive,
    }),
    subsidy: fc.record({ initialMsat: money, halvingEpochs: positive, capMsat: money }),
    auditBasisPoints: fc.integer({ min: 0, max: 500 }),
    feeReserveSats: money,
    succeeds: fc.option(
      fc.record({
        logKey: bytes32,
        checkpoint: text,
        anchor: fc.record({ index: uint32, txid: bytes32, height: int }),
        balances: bytes32,
      }),
    ),
  }),
  fc.record({ v, kind: kind('subnet'), name, definition: bytes32 }),
  fc.record({ v, kind: kind('price'), subnet: name, epoch: int, msat: money, unserved: money }),
  fc.record({ v, kind: kind('requester'), requester: name, address: text, refund: text }),
  fc.record({ v, kind: kind('refund'), count: positive, jobs: bytes32 }),
  fc.record({
    v,
    kind: kind('worker'),
    worker: bytes32,
    address: text,
    thresholdSats: money,
    signature: bytes64,
  }),
  fc.record({
    v,
    kind: kind('address'),
    worker: bytes32,
    address: text,
    thresholdSats: money,
    replaces: int,
    expiryHeight: int,
    signature: fc.uint8Array({ maxLength: 128 }),
  }),
  fc.record({
    v,
    kind: kind('deposit'),
    account: text,
    height: int,
    txid: bytes32,
    vout: uint32,
    sats: money,
  }),
  fc.record({ v, kind: kind('budget'), epoch: int, msat: money }),
  fc.record({
    v,
    kind: kind('jobs'),
    worker: bytes32,
    epoch: int,
    count: positive,
    root: bytes32,
    jobs: bytes32,
  }),
  fc.record({ v, kind: kind('submission'), header: someBytes, signature: bytes64, receipts: bytes32 }),
  fc.record({ v, kind: kind('audit'), auditor: bytes32, commitments: someBytes, signature: bytes64 }),
  fc.record({ v, kind: kind('verdict'), verdicts: bytes32, count: positive }),
  fc.record({
    v,
    kind: kind('status'),
    subject: fc.constant('epoch' as const),
    epoch: int,
    status: fc.constant('matured' as const),
    height: int,
  }),
  fc.record({
    v,
    kind: kind('status'),
    subject: fc.constant('auditor' as const),
    worker: bytes32,
    status: fc.constantFrom('admitted' as const, 'withdrawn' as const),
    reason: text,
  }),
  fc.record({
    v,
    kind: kind('status'),
    subject: fc.constant('inheritance' as const),
    status: fc.constant('matured' as const),
    height: int,
  }),
  fc.record({
    v,
    kind: kind('status'),
    subject: fc.constant('worker' as const),
    worker: bytes32,
    status: fc.constantFrom('good' as const, 'held' as const, 'suspended' as const, 'returned' as const),
    score: int,
    evidence,
    height: fc.option(int),
  }),
  fc.record({
    v,
    kind: kind('status'),
    subject: fc.constant('model' as const),
    subnet: fc.stringMatching(/^[a-z0-9-]{1,64}$/),
    model: bytes32,
    status: fc.constantFrom('frozen' as const, 'recalibrated' as const, 'upheld' as const),
    workers: fc.array(bytes32, { maxLength: 3 }),
  }),
  fc.record({ v, kind: kind('forfeit'), worker: bytes32, status: int, msat: money, evidence: someEvidence }),
  fc.record({
    v,
    kind: kind('status'),
    subject: fc.constant('contradiction' as const),
    worker: bytes32,
    status: fc.constant('withdrawn' as const),
    epoch: int,
    receipt: bytes32,
  }),
  fc.record({
    v,
    kind: kind('epoch'),
    epoch: int,
    accruals: bytes32,
    openings: bytes32,
    height: int,
    blockHash: bytes32,
    computeMsat: money,
    auditMsat: money,
    feesMsat: money,
    returnedMsat: money,
  }),
  fc.record({
    v,
    kind: kind('payout'),
    payout: int,
    height: int,
    input: coin,
    payees: bytes32,
    count: positive,
    totalSats: money,
  }),
)

test('parsing what was encoded gives it back, for every kind', () => {
  fc.assert(
    fc.property(anyEntry, (entry) => {
      const bytes = encodeEntry(entry)
      expect(parseEntry(bytes)).toEqual(entry)
      expect(hex(encodeEntry(parseEntry(bytes)))).toBe(hex(bytes))
    }),
    { numRuns: 1_000 },
  )
})

const coinWith = (fields: object) => ({ txid: new Uint8Array(32), vout: 0, sats: 1, ...fields })
const successionWith = (fields: object) => ({
  ...Object(decodeCbor(cases[1]?.bytes ?? new Uint8Array(), { maxBytes: MAX_ENTRY_BYTES })).succeeds,
  ...fields,
})
const epochWith = (fields: object) => ({ ...Object(mapOf('genesis').epoch), ...fields })

test.each<[kind: string, key: string, value: unknown]>([
  ['genesis', 'v', 2],
  ['genesis', 'kind', 'charge'],
  ['genesis', 'network', 'testnet3'],
  ['genesis', 'method', 'both'],
  ['genesis', 'origin', ''],
  ['genesis', 'origin', 'a b'],
  ['genesis', 'origin', 'a+b'],
  ['genesis', 'origin', 'a\n'],
  ['genesis', 'origin', 'x'.repeat(256)],
  ['genesis', 'internalKey', new Uint8Array(33)],
  ['genesis', 'treasury', ''],
  ['genesis', 'treasury', 'x'.repeat(91)],
  ['genesis', 'auditBasisPoints', 501],
  ['genesis', 'feeReserveSats', -1n],
  ['genesis', 'succeeds', {}],
  ['genesis', 'succeeds', successionWith({ checkpoint: 'x'.repeat(1_025) })],
  [
    'genesis',
    'succeeds',
    successionWith({ anchor: { index: 2 ** 32, txid: new Uint8Array(32), height: 0 } }),
  ],
  ['genesis', 'succeeds', successionWith({ more: 1 })],
  ['genesis', 'epoch', epochWith({ blocks: 0 })],
  ['genesis', 'epoch', epochWith({ more: 0 })],
  ['genesis', 'seal', coinWith({ txid: new Uint8Array(31) })],
  ['genesis', 'seal', coinWith({ vout: 2 ** 32 })],
  ['genesis', 'seal', coinWith({ sats: -1 })],
  ['genesis', 'seal', coinWith({ more: 1 })],
  ['subnet', 'name', 'Digits'],
  ['subnet', 'name', ''],
  ['subnet', 'name', 'x'.repeat(65)],
  ['worker', 'worker', new Uint8Array(31)],
  ['worker', 'signature', new Uint8Array(63)],
  ['worker', 'thresholdSats', -1],
  ['address', 'signature', new Uint8Array(129)],
  ['address', 'address', ''],
  ['address', 'expiryHeight', -1],
  ['deposit', 'account', 'x'.repeat(129)],
  ['deposit', 'vout', -1],
  ['deposit', 'height', -1],
  ['budget', 'msat', 2n ** 63n],
  ['budget', 'msat', -1],
  ['budget', 'epoch', 2n ** 53n],
  ['jobs', 'count', 0],
  ['verdict', 'count', 0],
  ['status', 'subject', 'subnet'],
  ['status', 'status', 'settled'],
  ['forfeit', 'worker', new Uint8Array(31)],
  ['forfeit', 'evidence', Array(65).fill({ entry: 1, receipt: new Uint8Array(32) })],
  ['forfeit', 'evidence', [{ entry: 1, receipt: new Uint8Array(31) }]],
  ['epoch', 'blockHash', 'text'],
  ['payout', 'count', 0],
  ['submission', 'header', 'text'],
])('%s: %s out of its form or range is refused (%#)', (name, key, value) => {
  expect(() => parseEntry(encodeCbor({ ...mapOf(name), [key]: value }))).toThrow(malformed)
})

test('CBOR that is not canonical is refused', () => {
  const bytes = encodeEntry({ v: 1, kind: 'budget', epoch: 7, msat: 5n })
  expect(hex(bytes)).toContain('6565706f636807')
  // The integer 7 in two bytes, where one would do.
  expect(() => parseEntry(fromHex(hex(bytes).replace('6565706f636807', '6565706f63681807')))).toThrow(
    malformed,
  )
})

test('an entry of 65,535 bytes is the longest, written or read', () => {
  const submission = (length: number): Entry => ({
    v: 1,
    kind: 'submission',
    header: new Uint8Array(length),
    signature: new Uint8Array(64),
    receipts: new Uint8Array(32),
  })
  const frame = encodeEntry(submission(65_000)).length - 65_000
  const longest = submission(MAX_ENTRY_BYTES - frame)
  expect(encodeEntry(longest).length).toBe(MAX_ENTRY_BYTES)
  expect(parseEntry(encodeEntry(longest))).toEqual(longest)
  const longer = submission(MAX_ENTRY_BYTES - frame + 1)
  expect(() => encodeEntry(longer)).toThrow(malformed)
  expect(() => parseEntry(encodeCbor(longer))).toThrow(malformed)
})

test('what could not be read back is not written', () => {
  expect(() => encodeEntry({ v: 1, kind: 'budget', epoch: -1, msat: 1n })).toThrow(EntryError)
  expect(() => encodeEntry({ v: 1, kind: 'budget', epoch: 0, msat: 2n ** 63n })).toThrow(EntryError)
  expect(() => encodeEntry({ v: 1, kind: 'verdict', verdicts: new Uint8Array(31), count: 1 })).toThrow(
    EntryError,
  )
})
