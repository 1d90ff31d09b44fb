import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as ours from '../../../../src/explorer/node/crypto.ts'

const hex = (value: Uint8Array) => Buffer.from(value).toString('hex')
const bytes = fc.uint8Array({ maxLength: 200 })

/** Beside Node's own, on whatever is given to both. */
test.each(['sha256', 'sha1', 'ripemd160'] as const)('%s', (algorithm) => {
  fc.assert(
    fc.property(bytes, (value) => {
      expect(hex(ours.hash(algorithm, value, 'buffer'))).toBe(
        createHash(algorithm).update(value).digest('hex'),
      )
    }),
  )
  expect(hex(ours.hash(algorithm, 'é', 'buffer'))).toBe(createHash(algorithm).update('é').digest('hex'))
})

test('Ed25519: the same signatures hold, and any altered byte breaks them', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const { x = '' } = publicKey.export({ format: 'jwk' })
  const key = ours.createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  const message = Buffer.from('log\n1\nroot\n')
  const signature = new Uint8Array(sign(null, message, privateKey))
  expect(ours.verify(null, message, key, signature)).toBe(true)
  for (const at of [0, 31, 32, 63]) {
    expect(ours.verify(null, message, key, signature.with(at, (signature[at] ?? 0) ^ 1))).toBe(false)
  }
  expect(ours.verify(null, Buffer.from('another'), key, signature)).toBe(false)
})

test.each([
  ['a short signature', new Uint8Array(63)],
  ['an empty one', new Uint8Array()],
  ['one of zeros', new Uint8Array(64)],
  ['a scalar that is too large', new Uint8Array(64).fill(0xff)],
])('Ed25519: %s is no signature, and throws nothing', (_what, signature) => {
  const { publicKey } = generateKeyPairSync('ed25519')
  const { x = '' } = publicKey.export({ format: 'jwk' })
  const jwk = { kty: 'OKP', crv: 'Ed25519', x } as const
  const message = Buffer.from('message')
  expect(ours.verify(null, message, ours.createPublicKey({ key: jwk, format: 'jwk' }), signature)).toBe(false)
  expect(verify(null, message, createPublicKey({ key: jwk, format: 'jwk' }), signature)).toBe(false)
})
