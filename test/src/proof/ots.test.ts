import { describe, expect, test } from 'vitest'
import { parseHeader } from '../../../anchor/block-header.ts'
import { parseOts } from '../../../anchor/ots/parse-ots.ts'
import { verifyOts } from '../../../anchor/ots/verify-ots.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { exportOts } from '../../../src/proof/ots.ts'
import type { Proof } from '../../../src/proof/proof.ts'
import { fill, makeProof, type Shape } from './synthetic-proof.ts'

/** As any OpenTimestamps program would: from the file, the receipt's bytes and the block's Merkle root alone. */
function judge(ots: Uint8Array, { receipt, header }: Proof) {
  const { merkleRoot } = parseHeader(header)
  return verifyOts(parseOts(ots), sha256(receipt), (height) => (height === 1 ? merkleRoot : null))
}

describe('exportOts', () => {
  test.each<[string, Shape]>([
    ['the usual', {}],
    [
      'nothing but one of each',
      { receipts: 1, receiptIndex: 0, entries: 1, entryIndex: 0, transactions: 1, position: 0 },
    ],
    [
      'promoted last nodes',
      { receipts: 7, receiptIndex: 6, entries: 13, entryIndex: 12, transactions: 7, position: 6 },
    ],
    [
      'first nodes',
      { receipts: 64, receiptIndex: 0, entries: 33, entryIndex: 0, transactions: 9, position: 0 },
    ],
    [
      'last nodes of full trees',
      { receipts: 64, receiptIndex: 63, entries: 32, entryIndex: 31, transactions: 8, position: 7 },
    ],
  ])('leads any OpenTimestamps verifier to the block, with %s', (_name, shape) => {
    const { proof } = makeProof(shape)
    expect(judge(exportOts(proof), proof).map(({ result }) => result)).toEqual(['confirmed'])
  })

  test.each(Array.from({ length: 13 }, (_, i) => i + 1))(
    'holds for every entry of a log of %i',
    (entries) => {
      for (let entryIndex = 0; entryIndex < entries; entryIndex += 1) {
        const { proof } = makeProof({ receipts: entries, receiptIndex: entryIndex, entries, entryIndex })
        expect(
          judge(exportOts(proof), proof).map(({ result }) => result),
          `entry ${entryIndex}`,
        ).toEqual(['confirmed'])
      }
    },
  )

  test('is refused for a taproot anchor, whose commitment it cannot express', () => {
    const { proof } = makeProof({ method: 'taproot' })
    expect(() => exportOts(proof)).toThrow(expect.objectContaining({ code: 'ots_needs_op_return' }))
  })

  test.each<[string, (proof: Proof) => Partial<Proof>]>([
    [
      'another receipt path',
      ({ receiptPath }) => ({ receiptPath: [fill('changed'), ...receiptPath.slice(1)] }),
    ],
    ['another log path', ({ logPath }) => ({ logPath: [fill('changed'), ...logPath.slice(1)] })],
    ['another position', ({ branch }) => ({ branch: { ...branch, position: 3 } })],
    ['another header', ({ header }) => ({ header: header.with(40, (header[40] ?? 0) ^ 1) })],
    ['another entry index', () => ({ entryIndex: 5 })],
  ])('is refused for a proof with %s', (_name, change) => {
    const { proof } = makeProof()
    expect(() => exportOts({ ...proof, ...change(proof) })).toThrow(
      expect.objectContaining({ code: 'proof_invalid' }),
    )
  })

  test('for one receipt of a million in a block of 3,000 transactions it takes under 1,800 bytes', () => {
    const { proof } = makeProof({
      receipts: 62_500,
      receiptIndex: 31_250,
      entries: 17,
      entryIndex: 8,
      transactions: 3_000,
      position: 1_700,
    })
    const ots = exportOts(proof)
    expect(judge(ots, proof).map(({ result }) => result)).toEqual(['confirmed'])
    expect(ots.length).toBeLessThan(1_800)
  })
})
