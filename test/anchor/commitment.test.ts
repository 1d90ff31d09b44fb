import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodePayload, opReturnScript, parsePayload, sealScript } from '../../anchor/commitment.ts'
import { taprootOutput } from '../../anchor/taproot-output.ts'
import bip341 from '../vectors/anchor-bip341.json' with { type: 'json' }
import vectors from '../vectors/anchor-commitment.json' with { type: 'json' }

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))
const root = new Uint8Array(32)
const malformed = expect.objectContaining({ name: 'CommitmentError', code: 'payload_malformed' })

describe('encodePayload', () => {
  it.each(vectors.cases)(
    'anchor $index of $origin at size $size',
    ({ index, origin, size, root, ...expected }) => {
      const payload = encodePayload({ index, origin, size, root: bytes(root) })
      expect(payload).toEqual(bytes(expected.payload))
      expect(parsePayload(payload)).toEqual({ index, digest: bytes(expected.payload).slice(8) })
    },
  )

  it('gives another digest for another origin, size or root', () => {
    const commitment = { index: 1, origin: 'a.example/log', size: 1, root }
    const others = [{ origin: 'a.example/lo' }, { size: 11 }, { root: root.with(31, 1) }, { index: 2 }]
    const payloads = [{}, ...others].map((other) => Buffer.from(encodePayload({ ...commitment, ...other })))
    expect(new Set(payloads.map((payload) => payload.toString('hex'))).size).toBe(5)
  })

  it.each([
    [{ index: -1 }],
    [{ index: 2 ** 32 }],
    [{ index: 0.5 }],
    [{ size: -1 }],
    [{ size: 2 ** 53 }],
    [{ origin: '' }],
    [{ origin: 'a\n1' }],
    [{ root: new Uint8Array(31) }],
  ])('asserts on %o', (wrong) => {
    expect(() => encodePayload({ index: 0, origin: 'a', size: 0, root, ...wrong })).toThrow(
      expect.objectContaining({ code: 'ERR_ASSERTION' }),
    )
  })
})

describe('parsePayload', () => {
  it('reads a payload that lies inside a larger buffer', () => {
    const payload = encodePayload({ index: 258, origin: 'a', size: 0, root })
    const inside = Buffer.concat([Buffer.alloc(5), payload]).subarray(5)
    expect(parsePayload(inside).index).toBe(258)
  })

  it('refuses any other length, and another magic', () => {
    const payload = encodePayload({ index: 0, origin: 'a', size: 0, root })
    for (const wrong of [payload.slice(1), new Uint8Array([...payload, 0]), new Uint8Array()]) {
      expect(() => parsePayload(wrong)).toThrow(malformed)
    }
    for (const at of [0, 1, 2, 3]) {
      expect(() => parsePayload(payload.with(at, 0x40))).toThrow(malformed)
    }
  })

  it('gives encodePayload its index back', () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), (index) => {
        expect(parsePayload(encodePayload({ index, origin: 'a', size: 1, root })).index).toBe(index)
      }),
    )
  })
})

describe('scripts', () => {
  it.each(vectors.cases)('anchor $index of $origin: both commitments', (vector) => {
    const payload = bytes(vector.payload)
    const key = bytes(vector.internalKey)
    expect(opReturnScript(payload)).toEqual(bytes(vector.opReturnScript))
    expect(sealScript(key, payload)).toEqual(bytes(vector.sealScript))
    expect(sealScript(key, null)).toEqual(bytes(vector.firstSealScript))
    expect(taprootOutput(key, opReturnScript(payload))).toEqual(bytes(vector.sealScript))
    expect(taprootOutput(key, null)).toEqual(bytes(vector.firstSealScript))
  })

  it('opReturnScript asserts the payload length', () => {
    expect(() => opReturnScript(new Uint8Array(39))).toThrow(/40 bytes/)
  })
})

describe('taprootOutput', () => {
  it.each(bip341.outputs)('BIP-341: $internalPubkey', ({ internalPubkey, script, scriptPubKey }) => {
    expect(taprootOutput(bytes(internalPubkey), script === null ? null : bytes(script))).toEqual(
      bytes(scriptPubKey),
    )
  })

  it('knows no output for a key that is not on the curve, or not 32 bytes', () => {
    expect(taprootOutput(new Uint8Array(32).fill(3), null)).toBe(null)
    expect(taprootOutput(new Uint8Array(31).fill(1), null)).toBe(null)
  })

  it('asserts that the length of the leaf fits one byte', () => {
    const key = bytes(bip341.outputs[0]?.internalPubkey ?? '')
    expect(taprootOutput(key, new Uint8Array(252))).not.toBe(null)
    expect(() => taprootOutput(key, new Uint8Array(253))).toThrow(/253 bytes/)
  })
})
