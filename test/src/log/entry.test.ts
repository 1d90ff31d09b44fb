import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeCbor, encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { type Entry, EntryError, encodeEntry, parseEntry } from '../../../src/log/entry.ts'
import { MAX_ENTRY_BYTES } from '../../../src/log/entry-bundle.ts'
import vectors from '../../vectors/entry.json' with { type: 'json' }
import { anyEntry } from './any-entry.ts'

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
        const wrong = key === 'succeeds' ? [false, []] : [null, false, key === 'paid' ? [null] : []]
        for (const spoiled of [rest, ...wrong.map((value) => ({ ...map, [key]: value }))]) {
          expect(() => parseEntry(encodeCbor(spoiled)), key).toThrow(malformed)
        }
      }
    },
  )
})

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
  ['genesis', 'epoch', epochWith({ finalDepth: 2 ** 32 })],
  ['genesis', 'epoch', epochWith({ startHeight: 2 ** 32 })],
  ['genesis', 'epoch', epochWith({ more: 0 })],
  ['genesis', 'seal', coinWith({ txid: new Uint8Array(31) })],
  ['genesis', 'seal', coinWith({ vout: 2 ** 32 })],
  ['genesis', 'seal', coinWith({ sats: -1 })],
  ['genesis', 'seal', coinWith({ more: 1 })],
  ['subnet', 'name', 'Digits'],
  ['subnet', 'name', ''],
  ['subnet', 'name', 'x'.repeat(65)],
  ['requester', 'requester', 'Acme'],
  ['requester', 'requester', 'anonymous'],
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
  ['void', 'spends', [{ txid: new Uint8Array(31), height: 1 }]],
  ['void', 'spends', [1, 2].map((height) => ({ txid: new Uint8Array(32), height }))],
  [
    'void',
    'spends',
    Array.from({ length: 201 }, (_, i) => ({ txid: new Uint8Array(32).fill(i), height: 1 })),
  ],
  ['void', 'spentSats', -1],
  ['void', 'paid', [-1]],
  ['void', 'paid', [1, 0]],
  ['void', 'paid', [1, 1]],
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
