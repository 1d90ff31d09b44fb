import { createHash, createPublicKey, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { parseNote } from '../../../src/log/note.ts'
import { noteSigner } from '../../../src/log/note-signer.ts'
import { parseWitnessKey, signatureLine, verifyCosignature } from '../../../src/monitor/cosignature.ts'

const NAME = 'witness.example/w1'
const { privateKey } = noteSigner(NAME, new Uint8Array(32).fill(5))
const rawKey = Buffer.from(createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '', 'base64url')
const TEXT = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n'

/** SHA-256(name LF type key), its first four bytes (C2SP signed-note, tlog-cosignature). */
function encodeKey(type: number, key: Buffer, name = NAME): string {
  const typed = Buffer.concat([Buffer.of(type), key])
  const id = createHash('sha256').update(`${name}\n`).update(typed).digest('hex').slice(0, 8)
  return `${name}+${id}+${typed.toString('base64')}`
}

const KEY = parseWitnessKey(encodeKey(4, rawKey))

function cosign(timestamp: bigint, message = `cosignature/v1\ntime ${timestamp}\n${TEXT}`): Uint8Array {
  const prefix = Buffer.alloc(8)
  prefix.writeBigUInt64BE(timestamp)
  return Buffer.concat([prefix, sign(null, Buffer.from(message), privateKey)])
}

const signatureOf = (signature: Uint8Array) => ({ name: NAME, keyId: KEY.keyId, signature })

describe('a witness key', () => {
  test('is a verifier key of type 4', () => {
    expect(KEY.name).toBe(NAME)
    expect(KEY.keyId.toString(16).padStart(8, '0')).toBe(encodeKey(4, rawKey).split('+')[1])
    expect(KEY.publicKey.export({ format: 'jwk' }).x).toBe(rawKey.toString('base64url'))
  })

  test.each([
    ['of a log', encodeKey(1, rawKey)],
    ['of another type', encodeKey(6, rawKey)],
    ['too short', encodeKey(4, rawKey.subarray(1))],
    ['too long', encodeKey(4, Buffer.concat([rawKey, Buffer.of(0)]))],
    ['with a name that notes refuse', encodeKey(4, rawKey, 'two words')],
    ['under another name', encodeKey(4, rawKey).replace('w1', 'w2')],
    ['in loose base64', `${encodeKey(4, rawKey)}=`],
    ['in two parts', 'witness.example/w1+01020304'],
    ['empty', ''],
  ])('%s is refused', (_name, key) => {
    expect(() => parseWitnessKey(key)).toThrow(expect.objectContaining({ code: 'key_malformed' }))
  })
})

describe('a cosignature', () => {
  test('gives the time at which the witness made it', () => {
    expect(verifyCosignature(TEXT, signatureOf(cosign(1_679_315_147n)), KEY)).toBe(1_679_315_147)
  })

  test.each([
    ['without its header line', cosign(5n, `time 5\n${TEXT}`)],
    ['of another time', cosign(5n, `cosignature/v1\ntime 6\n${TEXT}`)],
    ['of another text', cosign(5n, `cosignature/v1\ntime 5\n${TEXT}more\n`)],
    ['that is a plain note signature', sign(null, Buffer.from(TEXT), privateKey)],
    ['with a byte more', Buffer.concat([cosign(5n), Buffer.of(0)])],
    ['of a time beyond counting', cosign(2n ** 63n)],
  ])('%s is invalid', (_name, signature) => {
    expect(() => verifyCosignature(TEXT, signatureOf(signature), KEY)).toThrow(
      expect.objectContaining({ code: 'cosignature_invalid' }),
    )
  })

  test('changed in any byte is invalid', () => {
    const good = cosign(1_679_315_147n)
    for (let at = 0; at < good.length; at += 1) {
      const signature = Uint8Array.from(good, (byte, i) => (i === at ? byte ^ 1 : byte))
      expect(() => verifyCosignature(TEXT, signatureOf(signature), KEY), `byte ${at}`).toThrow(/cosignature/)
    }
  })

  test('stands in a note as a line that reads back', () => {
    const signature = signatureOf(Buffer.from(cosign(7n)))
    expect(parseNote(`${TEXT}\n${signatureLine(signature)}`).signatures).toEqual([signature])
  })
})
