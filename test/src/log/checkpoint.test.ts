import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeCheckpoint, parseCheckpoint, verifyCheckpoint } from '../../../src/log/checkpoint.ts'
import { parseNote } from '../../../src/log/note.ts'
import { parseVerifierKey } from '../../../src/log/note-key.ts'
import { noteSigner } from '../../../src/log/note-signer.ts'
import { signNote } from '../../../src/log/sign-note.ts'
import vectors from '../../vectors/checkpoint.json' with { type: 'json' }

const ROOT = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I='
const signer = noteSigner('assay.example/log', new Uint8Array(32).fill(1))
const verifier = parseVerifierKey(signer.verifierKey)
const malformed = expect.objectContaining({ name: 'LogError', code: 'checkpoint_malformed' })

test.each(vectors.checkpoints)(
  'the published checkpoint of $origin reads and is written the same',
  (vector) => {
    expect(parseNote(vector.note).text).toBe(vector.text)
    const checkpoint = parseCheckpoint(vector.text)
    expect(checkpoint).toEqual({
      origin: vector.origin,
      size: vector.size,
      root: Buffer.from(vector.root, 'base64'),
    })
    expect(encodeCheckpoint(checkpoint)).toBe(vector.text)
  },
)

test('any checkpoint reads as it was written', () => {
  const root = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(
    fc.property(fc.maxSafeNat(), root, (size, root) => {
      const text = encodeCheckpoint({ origin: signer.name, size, root })
      expect(parseCheckpoint(text)).toEqual({ origin: signer.name, size, root: Buffer.from(root) })
    }),
  )
})

test.each([
  ['nothing', ''],
  ['no final line feed', `a.example\n1\n${ROOT}`],
  ['an extension line', `a.example\n1\n${ROOT}\nmore\n`],
  ['a blank line', `a.example\n1\n${ROOT}\n\n`],
  ['two lines', 'a.example\n1\n'],
  ['an empty origin', `\n1\n${ROOT}\n`],
  ['an origin that names no key', `a example\n1\n${ROOT}\n`],
  ['an empty size', `a.example\n\n${ROOT}\n`],
  ['a leading zero', `a.example\n01\n${ROOT}\n`],
  ['a sign', `a.example\n+1\n${ROOT}\n`],
  ['a negative size', `a.example\n-1\n${ROOT}\n`],
  ['a fraction', `a.example\n1.0\n${ROOT}\n`],
  ['an exponent', `a.example\n1e3\n${ROOT}\n`],
  ['hex', `a.example\n0x1\n${ROOT}\n`],
  ['a space around the size', `a.example\n 1\n${ROOT}\n`],
  ['a size that is not exact', `a.example\n9007199254740992\n${ROOT}\n`],
  ['a root of 31 bytes', `a.example\n1\n${Buffer.alloc(31).toString('base64')}\n`],
  ['a root of 33 bytes', `a.example\n1\n${Buffer.alloc(33).toString('base64')}\n`],
  ['a root without padding', `a.example\n1\n${ROOT.replace('=', '')}\n`],
  ['a root with stray bits', `a.example\n1\n${ROOT.replace('I=', 'J=')}\n`],
  ['a root in base64 for URLs', `a.example\n1\n${ROOT.replace('/', '_')}\n`],
])('a checkpoint with %s is malformed', (_title, text) => {
  expect(() => parseCheckpoint(text)).toThrow(malformed)
})

test('a signed checkpoint verifies under the key that is named like its origin', () => {
  const checkpoint = { origin: signer.name, size: 0, root: Buffer.alloc(32, 7) }
  expect(verifyCheckpoint(signNote(encodeCheckpoint(checkpoint), [signer]), verifier)).toEqual(checkpoint)
  const other = signNote(encodeCheckpoint({ ...checkpoint, origin: 'other.example' }), [signer])
  expect(() => verifyCheckpoint(other, verifier)).toThrow(malformed)
})
