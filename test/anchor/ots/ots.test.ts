import { hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { encodeOts } from '../../../anchor/ots/encode-ots.ts'
import { OtsError } from '../../../anchor/ots/ots-error.ts'
import { parseOts } from '../../../anchor/ots/parse-ots.ts'
import { type Attestation, applyOp, linearTimestamp, type Timestamp } from '../../../anchor/ots/timestamp.ts'
import { verifyOts } from '../../../anchor/ots/verify-ots.ts'
import vectors from '../../vectors/ots-examples.json' with { type: 'json' }

import { append, bitcoin, bytes, digest, fileOf, HEIGHT_5, head, refusal, sha256 } from './ots-parts.ts'

describe('a proof made by another program', () => {
  const { ots, text, height, merkleRoot } = vectors.helloWorld
  const helloDigest = new Uint8Array(hash('sha256', text, 'buffer'))

  it('is read, verified against its block and written back byte by byte', () => {
    const timestamp = parseOts(bytes(ots))
    const results = verifyOts(timestamp, helloDigest, (at) => (at === height ? bytes(merkleRoot) : null))
    expect(results).toEqual([
      { attestation: { kind: 'bitcoin', height }, message: bytes(merkleRoot), result: 'confirmed' },
    ])
    expect(encodeOts(timestamp)).toEqual(bytes(ots))
  })

  it('with two calendars: what this program cannot judge is kept', () => {
    const file = bytes(vectors.twoCalendars.ots)
    const timestamp = parseOts(file)
    const results = verifyOts(timestamp, timestamp.message, () => null)
    expect(results.map(({ result }) => result)).toEqual(['unsupported', 'unsupported'])
    const told = results.map(
      ({ attestation }) => attestation.kind === 'other' && Buffer.from(attestation.payload),
    )
    for (const calendar of vectors.twoCalendars.calendars) {
      expect(told.some((payload) => payload && payload.includes(calendar) === true)).toBe(true)
    }
    expect(encodeOts(timestamp)).toEqual(file)
  })

  it.each(Object.entries(vectors.invalid))('%s is refused', (_, hex) => {
    expect(() => parseOts(bytes(hex))).toThrow(refusal('ots_unsupported'))
  })

  it('proves nothing with any bit flipped', () => {
    const file = bytes(ots)
    const survives = [...file.keys()].filter((at) => {
      return isConfirmed(file.with(at, (file[at] ?? 0) ^ 1), helloDigest, height, bytes(merkleRoot))
    })
    // But one: an odd node of the block is paired with itself, so there append and prepend are the same.
    expect(survives).toEqual([0x25b])
    expect(Buffer.from(file.slice(0x25b, 0x25d)).toString('hex')).toBe('f020')
  })

  it('is refused when cut short anywhere, or followed by anything', () => {
    const file = bytes(ots)
    for (const at of file.keys()) expect(() => parseOts(file.slice(0, at))).toThrow(refusal('ots_malformed'))
    expect(() => parseOts(new Uint8Array([...file, 0]))).toThrow(refusal('ots_trailing'))
  })
})

describe('verifyOts', () => {
  const root = new Uint8Array(hash('sha256', digest, 'buffer'))
  const timestamp = linearTimestamp(digest, [sha256], bitcoin(7))

  it.each([
    ['confirmed', root],
    ['refuted', root.with(0, (root[0] ?? 0) ^ 1)],
    ['refuted', new Uint8Array()],
    ['unknown_block', null],
  ] as const)('answers %s', (result, merkleRoot) => {
    expect(verifyOts(timestamp, digest, () => merkleRoot).map((one) => one.result)).toEqual([result])
  })

  it('refuses a proof of another file', () => {
    expect(() => verifyOts(timestamp, root, () => root)).toThrow(refusal('ots_digest_mismatch'))
  })

  it('judges each attestation at its own place in the tree', () => {
    const other: Attestation = { kind: 'other', tag: new Uint8Array(8), payload: new Uint8Array() }
    const tree: Timestamp = {
      message: digest,
      attestations: [bitcoin(1), other],
      ops: [
        { op: sha256, timestamp: { message: root, attestations: [bitcoin(2)], ops: [] } },
        {
          op: append(digest),
          timestamp: linearTimestamp(applyOp(append(digest), digest), [sha256], bitcoin(3)),
        },
      ],
    }
    const results = verifyOts(tree, digest, (height) => (height < 3 ? root : null))
    expect(results.map(({ result }) => result)).toEqual([
      'refuted',
      'unsupported',
      'confirmed',
      'unknown_block',
    ])
  })
})

describe('operations', () => {
  const message = Buffer.from('abc')

  it.each([
    [{ kind: 'append', argument: Buffer.from('d') }, Buffer.from('abcd').toString('hex')],
    [{ kind: 'prepend', argument: Buffer.from('d') }, Buffer.from('dabc').toString('hex')],
    // Of "abc": FIPS 180-4's examples, and Dobbertin, Bosselaers and Preneel's for RIPEMD-160.
    [{ kind: 'sha1' }, 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    [{ kind: 'ripemd160' }, '8eb208f7e05d987a9b044a8e98c6b087f15a0bfc'],
    [{ kind: 'sha256' }, 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ] as const)('%o', (op, result) => {
    expect(Buffer.from(applyOp(op, message)).toString('hex')).toBe(result)
  })

  it('make messages of up to 4,096 bytes', () => {
    expect(applyOp(append(new Uint8Array(4064)), digest).length).toBe(4096)
    for (const kind of ['append', 'prepend'] as const) {
      expect(() => applyOp({ kind, argument: new Uint8Array(4065) }, digest)).toThrow(refusal('ots_too_long'))
    }
  })
})

describe('parseOts', () => {
  it.each([
    ['another magic', 'ots_malformed', head.with(0, 1)],
    ['another version', 'ots_unsupported', head.with(31, 2)],
    ['another file hash', 'ots_unsupported', head.with(32, 2)],
    ['nothing', 'ots_malformed', new Uint8Array()],
    ['no proof', 'ots_malformed', fileOf('')],
    ['a fork of nothing', 'ots_malformed', fileOf(`ff${HEIGHT_5}`)],
    ['an unknown operation', 'ots_unsupported', fileOf(`09${HEIGHT_5}`)],
    ['a fork tag twice', 'ots_unsupported', fileOf(`ffff${HEIGHT_5}`)],
    ['nothing to append', 'ots_malformed', fileOf(`f000${HEIGHT_5}`)],
    ['nothing to prepend', 'ots_malformed', fileOf(`f100${HEIGHT_5}`)],
    ['more than 4,096 bytes to append', 'ots_too_long', fileOf(`f08120${HEIGHT_5}`)],
    ['a message of more than 4,096 bytes', 'ots_too_long', fileOf(`f0e11f${'00'.repeat(4065)}${HEIGHT_5}`)],
    [
      'an attestation of more than 8,192 bytes',
      'ots_too_long',
      fileOf(`00${'01'.repeat(8)}8140${'00'.repeat(8193)}`),
    ],
    ['a length in a longer form than needed', 'ots_malformed', fileOf(`f08100aa${HEIGHT_5}`)],
    ['a length without an end', 'ots_malformed', fileOf(`f0${'ff'.repeat(20)}`)],
    ['a height in a longer form than needed', 'ots_malformed', fileOf('000588960d73d71901028500')],
    ['a height and more', 'ots_malformed', fileOf('000588960d73d71901020505')],
    ['no height', 'ots_malformed', fileOf('000588960d73d7190100')],
    ['bytes after the proof', 'ots_trailing', fileOf(`${HEIGHT_5}00`)],
    ['256 operations in a row', 'ots_too_deep', fileOf(`${'08'.repeat(256)}${HEIGHT_5}`)],
    ['more than 64 KiB', 'ots_too_long', fileOf('08'.repeat(65_472))],
  ])('refuses %s', (_, code, file) => {
    expect(() => parseOts(file)).toThrow(refusal(code))
  })

  it('takes 255 operations in a row, 4,096 bytes of message and 8,192 of attestation', () => {
    expect(verifyOts(parseOts(fileOf(`${'08'.repeat(255)}${HEIGHT_5}`)), digest, () => null).length).toBe(1)
    const long = parseOts(fileOf(`f0e01f${'00'.repeat(4064)}${HEIGHT_5}`))
    expect(long.ops[0]?.timestamp.message.length).toBe(4096)
    const payload = `00${'01'.repeat(8)}8040${'00'.repeat(8192)}`
    expect(parseOts(fileOf(payload)).attestations[0]).toMatchObject({ payload: new Uint8Array(8192) })
  })

  it('takes operations and attestations in any order', () => {
    const file = fileOf(`ff08${HEIGHT_5}ff${HEIGHT_5}02${HEIGHT_5}`)
    const timestamp = parseOts(file)
    expect(timestamp.attestations).toEqual([bitcoin(5)])
    expect(timestamp.ops.map(({ op }) => op.kind)).toEqual(['sha256', 'sha1'])
    expect(encodeOts(timestamp)).toEqual(fileOf(`ff${HEIGHT_5}ff02${HEIGHT_5}08${HEIGHT_5}`))
  })
})

function isConfirmed(file: Uint8Array, digest: Uint8Array, height: number, merkleRoot: Uint8Array): boolean {
  try {
    const results = verifyOts(parseOts(file), digest, (at) => (at === height ? merkleRoot : null))
    return results.some(({ result }) => result === 'confirmed')
  } catch (error) {
    if (error instanceof OtsError) return false
    throw error
  }
}
