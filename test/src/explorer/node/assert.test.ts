import { expect, test } from 'vitest'
import assert from '../../../../src/explorer/node/assert.ts'

test('an assertion that holds says nothing, one that fails throws its message', () => {
  assert(true)
  assert.equal(1, 1)
  expect(() => assert(0, 'zero')).toThrow('zero')
  expect(() => assert.equal(1, 2, 'one is not two')).toThrow('one is not two')
})
