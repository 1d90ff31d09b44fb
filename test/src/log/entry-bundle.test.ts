import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeEntryBundle, MAX_ENTRY_BYTES, parseEntryBundle } from '../../../src/log/entry-bundle.ts'

const malformed = expect.objectContaining({ name: 'LogError', code: 'bundle_malformed' })

test('entries follow their lengths as uint16, big end first', () => {
  const bundle = encodeEntryBundle([Buffer.from('ab'), new Uint8Array(), Buffer.alloc(256, 1)])
  expect(Buffer.from(bundle).toString('hex')).toBe(`00026162${'0000'}0100${'01'.repeat(256)}`)
})

test('any entries read as they were written', () => {
  const entries = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 256 })
  fc.assert(
    fc.property(entries, (list) => {
      const read = parseEntryBundle(encodeEntryBundle(list), list.length)
      expect(read.map((entry) => Array.from(entry))).toEqual(list.map((entry) => Array.from(entry)))
    }),
    { numRuns: 30 },
  )
})

test('the largest entry fits, a larger one is a bug', () => {
  const largest = Buffer.alloc(MAX_ENTRY_BYTES, 1)
  expect(parseEntryBundle(encodeEntryBundle([largest]), 1)).toEqual([largest])
  expect(() => encodeEntryBundle([Buffer.alloc(MAX_ENTRY_BYTES + 1)])).toThrow('length prefix')
})

test.each([
  ['nothing', '', 1],
  ['one entry too few', '000161', 2],
  ['one entry too many', '000161000162', 1],
  ['a byte after', '00016100', 1],
  ['half a length', '00016100', 2],
  ['an entry cut short', '000261', 1],
])('a bundle with %s is malformed', (_title, hex, width) => {
  expect(() => parseEntryBundle(Buffer.from(hex, 'hex'), width)).toThrow(malformed)
})

test.each([0, 257])('a bundle of %i entries cannot be asked for', (width) => {
  expect(() => parseEntryBundle(new Uint8Array(), width)).toThrow('1 to 256')
})
