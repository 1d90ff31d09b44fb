import { expect, test } from 'vitest'
import { parseVerifierKey } from '../../../src/log/note-key.ts'
import { noteSigner } from '../../../src/log/note-signer.ts'
import vectors from '../../vectors/note.json' with { type: 'json' }

const SEED = new Uint8Array(32).fill(1)
const malformed = expect.objectContaining({ name: 'NoteError', code: 'key_malformed' })
const published = vectors.notes[0]?.keys[0]?.verifierKey ?? ''

test('every part of a verifier key, and every character changed, is refused', () => {
  expect(parseVerifierKey(published).name).toBe('PeterNeumann')
  for (let from = 0; from <= published.length; from += 1) {
    for (let to = from; to <= published.length; to += 1) {
      const part = published.slice(from, to)
      if (part !== published) expect(() => parseVerifierKey(part)).toThrow(malformed)
    }
  }
  for (let i = 0; i < published.length; i += 1) {
    const next = String.fromCharCode(published.charCodeAt(i) + 1)
    expect(() => parseVerifierKey(published.slice(0, i) + next + published.slice(i + 1))).toThrow(malformed)
  }
})

test.each([
  // Both from golang.org/x/mod/sumdb/note, note_test.go: the key ID fits, the key doesn't.
  ['a key of another length', 'PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=='],
  ['another signature type', 'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'],
  ['a key ID in capitals', published.replace('c74f20a3', 'C74F20A3')],
  ['a line feed at the end', `${published}\n`],
])('a verifier key with %s is refused', (_title, verifierKey) => {
  expect(() => parseVerifierKey(verifierKey)).toThrow(malformed)
})

test.each(['assay.example/log', 'EnochRoot', 'ünï.example', '—'])('%j names a key', (name) => {
  const signer = noteSigner(name, SEED)
  expect(parseVerifierKey(signer.verifierKey)).toMatchObject({ name, keyId: signer.keyId })
})

test.each(['', 'two words', 'a+b', 'a\nb', 'a\u2003b', 'a\u0085b', 'a\0b', 'a\ud800b'])(
  '%j names no key',
  (name) => {
    expect(() => noteSigner(name, SEED)).toThrow(malformed)
  },
)

test('key IDs differ by name and by key', () => {
  const ids = [noteSigner('a', SEED), noteSigner('b', SEED), noteSigner('a', new Uint8Array(32))].map(
    ({ keyId }) => keyId,
  )
  expect(new Set(ids).size).toBe(3)
})

test('a seed that is not 32 bytes is a bug', () => {
  expect(() => noteSigner('a', new Uint8Array(31))).toThrow('32 bytes')
})
