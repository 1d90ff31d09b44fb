import { describe, expect, test } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { parseAcknowledgement } from '../../../compute/worker/acknowledgement.ts'

const header = new Uint8Array([1, 2, 3])
const entry = {
  v: 1,
  kind: 'submission',
  header,
  receipts: new Uint8Array(32),
  signature: new Uint8Array(64),
}
const answer = { checkpoint: 'a note', entry: encodeCbor(entry), index: 12, path: [new Uint8Array(32)] }

describe('parseAcknowledgement', () => {
  test("gives what is said of the worker's own submission", () => {
    expect(parseAcknowledgement(encodeCbor(answer), header)).toEqual({
      ...answer,
      entry: Uint8Array.from(answer.entry),
    })
  })

  test.each<[string, object, string]>([
    [
      'of another header',
      { entry: encodeCbor({ ...entry, header: new Uint8Array([1, 2, 4]) }) },
      'acknowledgement_wrong',
    ],
    ['of another kind of entry', { entry: encodeCbor({ ...entry, kind: 'jobs' }) }, 'answer_malformed'],
    ['whose entry is no CBOR', { entry: new Uint8Array([0xff]) }, 'answer_malformed'],
    ['without an index', { index: null }, 'answer_malformed'],
    ['with a short hash in its path', { path: [new Uint8Array(31)] }, 'answer_malformed'],
    ['with another key', { more: 1 }, 'answer_malformed'],
    ['of over 128 KiB', { checkpoint: 'n'.repeat(128 * 1024) }, 'answer_malformed'],
  ])('refuses one %s', (_what, change, code) => {
    expect(() => parseAcknowledgement(encodeCbor({ ...answer, ...change }), header)).toThrow(
      expect.objectContaining({ name: 'CoordinatorError', code }),
    )
  })
})
