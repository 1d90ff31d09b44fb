import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeOts } from '../../../anchor/ots/encode-ots.ts'
import { parseOts } from '../../../anchor/ots/parse-ots.ts'
import {
  type Attestation,
  applyOp,
  linearTimestamp,
  type Op,
  type Timestamp,
} from '../../../anchor/ots/timestamp.ts'
import { verifyOts } from '../../../anchor/ots/verify-ots.ts'

import { append, bitcoin, bytes, digest, fileOf, HEIGHT_5, refusal, sha256 } from './ots-parts.ts'

describe('encodeOts', () => {
  const ops = fc.oneof<fc.Arbitrary<Op>[]>(
    fc.constantFrom<Op>({ kind: 'sha1' }, { kind: 'ripemd160' }, { kind: 'sha256' }),
    fc.record({
      kind: fc.constantFrom('append' as const, 'prepend' as const),
      argument: fc.uint8Array({ minLength: 1, maxLength: 200 }),
    }),
  )
  const attestations = fc.oneof<fc.Arbitrary<Attestation>[]>(
    fc.record({ kind: fc.constant('bitcoin' as const), height: fc.nat() }),
    fc.record({
      kind: fc.constant('other' as const),
      tag: fc.uint8Array({ minLength: 8, maxLength: 8 }),
      payload: fc.uint8Array({ maxLength: 200 }),
    }),
  )
  /** Trees of up to three levels. */
  const tree = [1, 2, 3].reduce<fc.Arbitrary<Plan>>(
    (next) =>
      fc.record({
        attestations: fc.array(attestations, { minLength: 1, maxLength: 3 }),
        ops: fc.array(fc.record({ op: ops, next }), { maxLength: 3 }),
      }),
    fc.record({ attestations: fc.array(attestations, { minLength: 1, maxLength: 3 }), ops: fc.constant([]) }),
  )

  it('writes one file for a tree, whatever its order, and parseOts reads the tree back', () => {
    fc.assert(
      fc.property(tree, (plan) => {
        const timestamp = grow(digest, plan)
        const file = encodeOts(timestamp)
        const read = parseOts(file)
        expect(encodeOts(read)).toEqual(file)
        expect(encodeOts(reversed(timestamp))).toEqual(file)
        expect(verifyOts(read, digest, () => null).length).toBe(
          verifyOts(timestamp, digest, () => null).length,
        )
      }),
    )
  })

  it('sorts as the reference does: by tag, then by value and not by its length', () => {
    const way = (op: Op) => ({ op, timestamp: linearTimestamp(applyOp(op, digest), [], bitcoin(5)) })
    const file = encodeOts({
      message: digest,
      attestations: [bitcoin(256), bitcoin(5), bitcoin(129)],
      ops: [way(append(bytes('02'))), way(append(bytes('0101'))), way(sha256)],
    })
    const heights = ['0105', '028101', '028002'].map((payload) => `ff000588960d73d71901${payload}`)
    const ways = [`ff08${HEIGHT_5}`, `fff0020101${HEIGHT_5}`, `f00102${HEIGHT_5}`]
    expect(file).toEqual(fileOf([...heights, ...ways].join('')))
  })

  it('gives a straight way back as it was', () => {
    const way = fc.array(ops, { maxLength: 20 })
    fc.assert(
      fc.property(way, attestations, (steps, attestation) => {
        const timestamp = linearTimestamp(digest, steps, attestation)
        expect(parseOts(encodeOts(timestamp))).toEqual(timestamp)
        const [result] = verifyOts(timestamp, digest, () => null)
        expect(result?.message).toEqual(
          steps.reduce<Uint8Array>((message, op) => applyOp(op, message), digest),
        )
      }),
    )
  })

  it('refuses what parseOts would refuse', () => {
    const steps = (count: number) => Array.from({ length: count }, () => sha256)
    expect(parseOts(encodeOts(linearTimestamp(digest, steps(255), bitcoin(0)))).message).toEqual(digest)
    expect(() => encodeOts(linearTimestamp(digest, steps(256), bitcoin(0)))).toThrow(refusal('ots_too_deep'))
    const wide: Timestamp = {
      message: digest,
      attestations: Array.from({ length: 6_000 }, () => bitcoin(1)),
      ops: [],
    }
    expect(() => encodeOts(wide)).toThrow(refusal('ots_too_long'))
  })

  it('asserts that something vouches for every message, and that forms are right', () => {
    const [tag, payload] = [new Uint8Array(7), new Uint8Array()]
    expect(() => encodeOts({ message: digest, attestations: [], ops: [] })).toThrow(/vouches/)
    expect(() => encodeOts(linearTimestamp(digest.slice(1), [], bitcoin(0)))).toThrow(/SHA-256/)
    expect(() => encodeOts(linearTimestamp(digest, [], { kind: 'other', tag, payload }))).toThrow(/tag/)
    expect(() => encodeOts(linearTimestamp(digest, [append(payload)], bitcoin(0)))).toThrow(/append/)
  })
})

interface Plan {
  attestations: Attestation[]
  ops: { op: Op; next: Plan }[]
}

function grow(message: Uint8Array, plan: Plan): Timestamp {
  const { attestations, ops } = plan
  return {
    message,
    attestations,
    ops: ops.map(({ op, next }) => ({ op, timestamp: grow(applyOp(op, message), next) })),
  }
}

function reversed({ message, attestations, ops }: Timestamp): Timestamp {
  const ways = ops.map(({ op, timestamp }) => ({ op, timestamp: reversed(timestamp) }))
  return { message, attestations: attestations.toReversed(), ops: ways.reverse() }
}
