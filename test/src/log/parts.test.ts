import { expect, test } from 'vitest'
import { decodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { encodeOriginRecord } from '../../../compute/work/job.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { parseAccrualHead, putAccruals } from '../../../src/log/accrual-table.ts'
import { encodePart, MAX_PART_BYTES, PART_LENGTH, parsePartNames, putParts } from '../../../src/log/parts.ts'
import vectors from '../../vectors/parts.json' with { type: 'json' }

/** Parts of 4. */
const LENGTH = 4
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

function openShelf() {
  const blobs: Uint8Array[] = []
  const put = (blob: Uint8Array) => {
    blobs.push(blob)
    return sha256(blob)
  }
  return { blobs, put }
}

test.each([
  [0, []],
  [1, [1]],
  [3, [3]],
  [4, [4]],
  [5, [4, 1]],
  [8, [4, 4]],
  [9, [4, 4, 1]],
])('%i members are parts of %j, in their order', async (count, lengths) => {
  const { blobs, put } = openShelf()
  const list = Array.from({ length: count }, (_, i) => i)
  const names = await putParts(list, put, LENGTH)
  expect(names.map(hex)).toEqual(blobs.map((blob) => hex(sha256(blob))))
  const parts = blobs.map((blob) => Array.of<number>().concat(Object(decodeCbor(blob, { maxBytes: 1_000 }))))
  expect(parts.map((part) => part.length)).toEqual(lengths)
  expect(parts.flat()).toEqual(list)
  expect(parsePartNames(encodePart(names)).map(hex)).toEqual(names.map(hex))
})

test('the names of parts are digests', () => {
  expect(() => parsePartNames(encodePart([new Uint8Array(31)]))).toThrow()
  expect(() => parsePartNames(encodePart(Array(2_000).fill(new Uint8Array(32))))).toThrow(
    expect.objectContaining({ code: 'cbor_too_large' }),
  )
})

test.each(vectors.lists)('$name is split as its vector says', async ({ members, length, parts, names }) => {
  const { blobs, put } = openShelf()
  expect((await putParts(members, put, length)).map(hex)).toEqual(names)
  expect(blobs.map(hex)).toEqual(parts)
})

test('a table of accruals is its parts, then the head that names them', async () => {
  const { blobs, put } = openShelf()
  const reasons = Array.from({ length: LENGTH + 1 }, (_, i) => ({
    receipt: `${i}`,
    reason: 'earned' as const,
  }))
  const lists = { compute: [], audit: [], returnedMsat: 7n, receipts: reasons, fees: [] }
  const { head, digest } = await putAccruals(3, lists, put, LENGTH)
  expect(blobs).toHaveLength(3)
  const [first = new Uint8Array(), second = new Uint8Array(), last = new Uint8Array()] = blobs
  expect(hex(digest)).toBe(hex(sha256(last)))
  expect(head).toMatchObject({ v: 1, epoch: 3, returnedMsat: 7n, compute: [], audit: [], fees: [] })
  expect(head.receipts.map(hex)).toEqual([first, second].map((part) => hex(sha256(part))))
  expect(parseAccrualHead(last)).toEqual({
    ...head,
    receipts: head.receipts.map((name) => Uint8Array.from(name)),
  })
})

test('the largest part is read by whoever recomputes the log', () => {
  const bytes = new Uint8Array(32)
  const [key, name] = ['f'.repeat(64), 'x'.repeat(64)]
  const opening = {
    answeredMs: Number.MAX_SAFE_INTEGER,
    input: bytes,
    inputSalt: bytes,
    job: bytes,
    origin: encodeOriginRecord({ kind: 'request', requester: name }),
    originSalt: bytes,
    output: bytes,
    outputSalt: bytes,
  }
  const msat = 2n ** 63n
  const fee = { receipt: key, requester: name, subnet: name, model: key, worker: key, msat, shareMsat: msat }
  for (const one of [opening, fee]) {
    const size = encodePart([one]).length - encodePart([]).length
    expect(size * PART_LENGTH).toBeLessThan(MAX_PART_BYTES)
  }
})
