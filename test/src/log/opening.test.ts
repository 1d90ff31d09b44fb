import { expect, test } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { parseOpenings } from '../../../src/log/opening.ts'
import { encodePart, MAX_PART_BYTES } from '../../../src/log/parts.ts'

const bytes32 = (value: number) => new Uint8Array(32).fill(value)

const OPENING = {
  answeredMs: 1_760_000_000_000,
  input: bytes32(1),
  inputSalt: bytes32(2),
  job: bytes32(3),
  origin: Uint8Array.of(4, 5),
  originSalt: bytes32(6),
  output: bytes32(7),
  outputSalt: bytes32(8),
}

const read = (value: unknown) => () => [...parseOpenings(encodeCbor(value))]
const malformed = expect.objectContaining({ code: 'cbor_malformed' })

test('openings are read back in their order', () => {
  const openings = [OPENING, { ...OPENING, answeredMs: 0, job: bytes32(9), origin: new Uint8Array() }]
  expect([...parseOpenings(encodePart(openings))]).toEqual(openings)
  expect([...parseOpenings(encodePart([]))]).toEqual([])
})

test.each(Object.entries(OPENING).filter(([, value]) => value instanceof Uint8Array && value.length === 32))(
  '%s of 31 bytes is refused, after those before it',
  (key) => {
    const openings = parseOpenings(encodeCbor([OPENING, { ...OPENING, [key]: new Uint8Array(31) }]))
    expect(openings.next().value).toEqual(OPENING)
    expect(() => openings.next()).toThrow(malformed)
  },
)

test.each(Object.keys(OPENING))('an opening without %s is refused', (key) => {
  expect(read([Object.fromEntries(Object.entries(OPENING).filter(([name]) => name !== key))])).toThrow(
    malformed,
  )
})

test('whatever else is no list of openings is refused', () => {
  expect(read([{ ...OPENING, more: 1 }])).toThrow(malformed)
  expect(read([{ ...OPENING, answeredMs: '1' }])).toThrow(malformed)
  expect(read({ openings: [OPENING] })).toThrow(malformed)
  const bytes = encodePart([OPENING])
  expect(() => [...parseOpenings(bytes.subarray(0, -1))]).toThrow(malformed)
  expect(() => [...parseOpenings(Uint8Array.of(...bytes, 0))]).toThrow(malformed)
  expect(() => [...parseOpenings(new Uint8Array(MAX_PART_BYTES + 1))]).toThrow(
    expect.objectContaining({ code: 'cbor_too_large' }),
  )
})
