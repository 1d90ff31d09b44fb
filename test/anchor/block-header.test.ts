import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkProofOfWork,
  compactOf,
  headerHash,
  parseHeader,
  targetOf,
  workOf,
} from '../../anchor/block-header.ts'
import { networkOf } from '../../anchor/network.ts'
import vectors from '../vectors/anchor-headers.json' with { type: 'json' }

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
const { powLimit } = networkOf('mainnet')
const refusal = (code: string) => expect.objectContaining({ name: 'HeaderError', code })

describe('a block header', () => {
  it.each(vectors.headers)(
    'of block $height: fields, hash, proof of work',
    ({ header, hash, time, nonce, height }) => {
      const fields = parseHeader(bytes(header))
      const previous = vectors.headers[height - 1]?.hash ?? '0'.repeat(64)
      expect(fields).toMatchObject({ version: 1, previous, time, bits: 0x1d00ffff, nonce })
      expect(Buffer.from(fields.merkleRoot).toString('hex')).toBe(header.slice(72, 136))
      expect(headerHash(bytes(header))).toBe(hash)
      expect(() => checkProofOfWork(bytes(header), powLimit)).not.toThrow()
    },
  )

  it('is refused unless it has 80 bytes', () => {
    for (const length of [0, 79, 81]) {
      expect(() => parseHeader(new Uint8Array(length))).toThrow(refusal('header_truncated'))
      expect(() => checkProofOfWork(new Uint8Array(length), powLimit)).toThrow(refusal('header_truncated'))
    }
  })

  it('fails its proof of work when any bit of it changes', () => {
    const header = bytes(vectors.headers[1]?.header ?? '')
    for (const at of header.keys()) {
      expect(() => checkProofOfWork(header.with(at, (header[at] ?? 0) ^ 1), powLimit)).toThrow(
        expect.objectContaining({ name: 'HeaderError', code: expect.stringMatching(/^header_(pow|bits)$/) }),
      )
    }
  })

  it('is refused with a target easier than the chain allows, whatever its hash', () => {
    const { genesisHeader } = networkOf('regtest')
    expect(() => checkProofOfWork(genesisHeader, networkOf('regtest').powLimit)).not.toThrow()
    expect(() => checkProofOfWork(genesisHeader, powLimit)).toThrow(refusal('header_bits'))
  })
})

describe('targetOf', () => {
  it.each([
    [0x01120000, 0x12n],
    [0x02123400, 0x1234n],
    [0x03123456, 0x123456n],
    [0x04123456, 0x12345600n],
    [0x05009234, 0x92340000n],
    [0x1d00ffff, 0xffffn << 208n],
    [0x207fffff, 0x7fffffn << 232n],
    [0x2100ffff, 0xffffn << 240n],
  ])('%i is %i', (bits, target) => {
    expect(targetOf(bits)).toBe(target)
    expect(compactOf(target)).toBe(bits)
  })

  it.each([
    ['zero', 0],
    ['zero with an exponent', 0x1d000000],
    ['zero as compactOf has it', 0x01000000],
    ['a mantissa shifted out', 0x01003456],
    ['bits shifted out', 0x01123456],
    ['negative', 0x04923456],
    ['negative zero', 0x1d800000],
    ['a mantissa with room to spare', 0x04001234],
    ['more than 256 bits', 0x2101ffff],
    ['much more than 256 bits', 0xff123456],
  ])('refuses %s', (_, bits) => {
    expect(() => targetOf(bits)).toThrow(refusal('header_bits'))
    expect(() => workOf(bits)).toThrow(refusal('header_bits'))
  })

  it('gives back what compactOf made, rounded down by less than one part in 2^15', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, (1n << 256n) - 1n), (target) => {
        const rounded = targetOf(compactOf(target))
        expect(rounded <= target && (target - rounded) << 15n <= target).toBe(true)
      }),
    )
  })
})

describe('workOf', () => {
  it('is 2^256 over what is above the target', () => {
    expect(workOf(0x1d00ffff)).toBe(0x100010001n)
    expect(workOf(0x207fffff)).toBe(2n)
    expect(workOf(0x01010000)).toBe(1n << 255n)
  })
})
