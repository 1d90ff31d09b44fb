import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseNote, verifyNote } from '../../../src/log/note.ts'
import { parseVerifierKey } from '../../../src/log/note-key.ts'
import { noteSigner } from '../../../src/log/note-signer.ts'
import { signNote } from '../../../src/log/sign-note.ts'
import vectors from '../../vectors/note.json' with { type: 'json' }

const TEXT = 'a text\n\nwith a blank line\n'
const peter = noteSigner('peter.example/log', new Uint8Array(32).fill(1))
const enoch = noteSigner('enoch.example', new Uint8Array(32).fill(2))
const [peterKey, enochKey] = [parseVerifierKey(peter.verifierKey), parseVerifierKey(enoch.verifierKey)]
const peterLine = signNote('x\n', [peter]).slice('x\n\n'.length)

function coded(code: string): unknown {
  return expect.objectContaining({ name: 'NoteError', code })
}

describe.each(vectors.notes)('the published note of $title', ({ text, note, keys }) => {
  test('verifies with each of its keys', () => {
    for (const { name, verifierKey } of keys) {
      const verified = verifyNote(note, [parseVerifierKey(verifierKey)])
      expect(verified.text).toBe(text)
      expect(verified.signatures.map((signature) => signature.name)).toEqual([name])
    }
  })

  test('is what its seeds sign', () => {
    const signers = keys.flatMap(({ name, seed }) =>
      seed === null ? [] : noteSigner(name, Buffer.from(seed, 'hex')),
    )
    if (signers.length === keys.length) expect(signNote(text, signers)).toBe(note)
    for (const [i, { verifierKey }] of signers.entries()) expect(verifierKey).toBe(keys[i]?.verifierKey)
  })
})

test('any text that notes can carry comes back as it was signed, with all its signatures', () => {
  const line = fc.string({ unit: 'grapheme' }).filter((text) => !/\p{Cc}/u.test(text))
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), (lines) => {
      const text = `${lines.join('\n')}\n`
      const note = verifyNote(signNote(text, [peter, enoch]), [peterKey, enochKey])
      expect(note.text).toBe(text)
      expect(note.signatures.map(({ name, keyId }) => [name, keyId])).toEqual([
        [peter.name, peter.keyId],
        [enoch.name, enoch.keyId],
      ])
    }),
    { numRuns: 30 },
  )
})

test('signatures by unknown keys are ignored; one by a known key is needed', () => {
  const both = signNote(TEXT, [enoch, peter])
  expect(verifyNote(both, [peterKey]).signatures.map(({ name }) => name)).toEqual([peter.name])
  const sameNameOtherKey = parseVerifierKey(noteSigner(peter.name, new Uint8Array(32).fill(3)).verifierKey)
  expect(() => verifyNote(both, [sameNameOtherKey])).toThrow(coded('signature_unknown'))
  expect(() => verifyNote(both, [{ ...peterKey, name: 'other.example' }])).toThrow(coded('signature_unknown'))
  expect(() => verifyNote(both, [])).toThrow(coded('signature_unknown'))
})

test('a signature by a known key that fails refuses the note, even beside one that verifies', () => {
  const genuine = signNote(TEXT, [peter])
  const [, line = ''] = genuine.split(TEXT.concat('\n'))
  expect(() => verifyNote(genuine + peterLine, [peterKey])).toThrow(coded('signature_invalid'))
  expect(() => verifyNote(genuine.replace('a text', 'a test'), [peterKey])).toThrow(
    coded('signature_invalid'),
  )
  const bytes = Buffer.from(line.trimEnd().split(' ').at(-1) ?? '', 'base64')
  for (const short of [
    bytes.subarray(0, -1),
    bytes.subarray(0, 5),
    Buffer.concat([bytes, Buffer.alloc(1)]),
  ]) {
    const cut = `${TEXT}\n— ${peter.name} ${short.toString('base64')}\n`
    expect(() => verifyNote(cut, [peterKey])).toThrow(coded('signature_invalid'))
  }
  for (let i = 4; i < bytes.length; i += 1) {
    const flipped = Buffer.from(bytes.with(i, (bytes[i] ?? 0) ^ 1)).toString('base64')
    expect(() => verifyNote(`${TEXT}\n— ${peter.name} ${flipped}\n`, [peterKey])).toThrow(
      coded('signature_invalid'),
    )
  }
})

test.each([
  ['nothing', ''],
  ['a text alone', 'text\n'],
  ['no signature line', 'text\n\n'],
  ['no blank line', `text\n${peterLine}`],
  ['no final line feed', `text\n\n${peterLine.slice(0, -1)}`],
  ['another final character', `text\n\n${peterLine.slice(0, -1)}x`],
  ['a line after the signatures', `text\n\n${peterLine}more\n`],
  ['a blank line after the signatures', `text\n\n${peterLine}\n`],
  ['a hyphen for the dash', `text\n\n${peterLine.replace('—', '-')}`],
  ['no space after the dash', `text\n\n${peterLine.replace('— ', '—')}`],
  ['a name with a plus', `text\n\n${peterLine.replace('.example', '+example')}`],
  ['a name with a no-break space', `text\n\n${peterLine.replace('.example', '\u00a0example')}`],
  ['an empty name', `text\n\n${peterLine.replace(peter.name, '')}`],
  ['two spaces', `text\n\n${peterLine.replace(`${peter.name} `, `${peter.name}  `)}`],
  ['a third word', `text\n\n${peterLine.trimEnd()} more\n`],
  ['base64 without padding', `text\n\n${peterLine.replace('=', '')}`],
  ['base64 for URLs', `text\n\n— a.example ____\n`],
  ['base64 with stray bits', `text\n\n— a.example AAAAAAB=\n`],
  ['no signature after the key ID', `text\n\n— a.example AAAAAA==\n`],
  ['no signature at all', `text\n\n— a.example \n`],
  ['a tab', `te\txt\n\n${peterLine}`],
  ['a carriage return', `text\r\n\n${peterLine}`],
  ['a NUL', `te\0xt\n\n${peterLine}`],
  ['a lone surrogate', `te\ud800xt\n\n${peterLine}`],
  ['101 signatures', `text\n\n${peterLine.repeat(101)}`],
  ['a megabyte and more', `${'x'.repeat(1_000_000)}\n\n${peterLine}`],
])('a note with %s is malformed', (_title, message) => {
  expect(() => parseNote(message)).toThrow(coded('note_malformed'))
})

test('100 signatures, and just a megabyte, are taken', () => {
  expect(parseNote(`text\n\n${peterLine.repeat(100)}`).signatures.length).toBe(100)
  const fill = 'x'.repeat(1_000_000 - Buffer.byteLength(`\n\n${peterLine}`))
  expect(parseNote(`${fill}\n\n${peterLine}`).text.length).toBe(fill.length + 1)
})

test.each(['', 'no final line feed', 'a\rb\n'])('the text %j is not signed', (text) => {
  expect(() => signNote(text, [peter])).toThrow(coded('note_malformed'))
})

test('a note without signers is not made', () => {
  expect(() => signNote('text\n', [])).toThrow(coded('note_malformed'))
})
