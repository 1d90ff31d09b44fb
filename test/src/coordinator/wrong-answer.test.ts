import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareOutputs } from '../../../compute/compare/compare-outputs.ts'
import { encodeTensorBundle, parseTensorBundle } from '../../../compute/work/tensor-bundle.ts'
import { wrongAnswer } from '../../../src/coordinator/wrong-answer.ts'
import { TINY_PROFILE } from './tiny-market.ts'

const profile = { comparison: 'exact', ...TINY_PROFILE } as const
const WIDTHS = { BOOL: 1, UINT8: 1, INT16: 2, INT64: 8, FP16: 2, FP32: 4, FP64: 8 } as const

test.each(Object.entries(WIDTHS))('%s: looks like the right answer, and is not', (datatype, width) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.infiniteStream(fc.nat(1)), (count, bits) => {
      const data = Uint8Array.from({ length: count * width }, () => bits.next().value ?? 0)
      const right = encodeTensorBundle([{ name: 'y', datatype: datatype as 'FP32', shape: [count], data }])
      const wrong = wrongAnswer(right, profile)
      if (wrong === null) throw new Error('there is a wrong one')
      const [tensor] = parseTensorBundle(wrong)
      expect(tensor).toMatchObject({ name: 'y', datatype, shape: [count] })
      expect(compareOutputs(profile, wrong, right).verdict).toBe('fail')
    }),
  )
})

test('of strings, the last letter', () => {
  const data = Uint8Array.of(1, 0, 0, 0, 0x61)
  const right = encodeTensorBundle([{ name: 'y', datatype: 'BYTES', shape: [1], data }])
  const [tensor] = parseTensorBundle(wrongAnswer(right, profile) ?? new Uint8Array())
  expect(tensor?.data).toEqual(Uint8Array.of(1, 0, 0, 0, 0x60))
})

test('there is none of nothing', () => {
  const right = encodeTensorBundle([{ name: 'y', datatype: 'FP32', shape: [0], data: new Uint8Array() }])
  expect(wrongAnswer(right, profile)).toBeNull()
})
