import { expect, test } from 'vitest'
import { problemOf } from '../../../src/api/problem.ts'
import { RefusedError } from '../../../src/coordinator/refused-error.ts'

function coded(code: unknown, more: object = {}): Error {
  return Object.assign(new Error('what happened'), { code, ...more })
}

test('a refusal is answered as it stands', () => {
  const error = new RefusedError(409, 'sequence_mismatch', 'expected 3', { extensions: { nextSequence: 3 } })
  expect(problemOf(error)).toEqual({
    status: 409,
    code: 'sequence_mismatch',
    detail: 'expected 3',
    extensions: { nextSequence: 3 },
  })
})

test.each([
  ['receipt_malformed', 400],
  ['cbor_not_canonical', 400],
  ['cbor_too_large', 413],
  ['blob_too_large', 413],
  ['blob_name_invalid', 404],
  ['out_of_range', 404],
  ['tile_path_malformed', 404],
  ['ots_needs_op_return', 409],
  ['blob_corrupt', 500],
  ['blob_unwritable', 507],
  ['rpc_unreachable', 503],
  ['rpc_timeout', 503],
  ['rpc_warming_up', 503],
])('%s of a format or a store is %i', (code, status) => {
  expect(problemOf(coded(code))).toEqual({ status, code, detail: 'what happened' })
})

test.each([
  [413, 'body_too_large'],
  [400, 'request_malformed'],
  [415, 'request_malformed'],
])('%i of the server library is %s', (status, code) => {
  expect(problemOf(coded(undefined, { status, type: 'any' }))).toEqual({
    status,
    code,
    detail: 'what happened',
  })
})

test.each([
  ['an error without a code', new Error('secret path')],
  ['what is no error', 'secret path'],
  ['nothing', null],
  ['SQLite', coded('SQLITE_FULL')],
  ['Node', coded('ERR_INVALID_ARG_TYPE')],
  ['the system', coded('ENOSPC')],
  ['a code that is a number', coded(42)],
  ['the server library at fault itself', coded(undefined, { status: 500, type: 'stream.not.readable' })],
])('%s is ours, and tells nothing', (_what, error) => {
  const problem = problemOf(error)
  expect(problem).toMatchObject({ status: 500, code: 'internal' })
  expect(problem.detail).not.toMatch(/secret|happened/)
})
