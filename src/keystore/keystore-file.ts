/** The keystore file: JSON, a header in the clear and the mnemonic's entropy sealed under it. */
import { z } from 'zod'
import { NETWORK_NAMES } from '../../anchor/network.ts'
import { KeystoreError } from './keystore-error.ts'
import { NONCE_BYTES, SALT_BYTES } from './seal-secret.ts'

/** A keystore takes under 600 bytes. */
const MAX_FILE_BYTES = 4_096
/** 2^20 takes 1 GiB and seconds; a file that asks for more is no keystore of ours. */
const MAX_SCRYPT_N = 2 ** 20
/** 32 bytes of entropy and Poly1305's tag. */
const CIPHERTEXT_BYTES = 32 + 16

const hexOf = (bytes: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `${bytes} bytes in hex`)

const header = z.strictObject({
  version: z.literal(1),
  network: z.enum(NETWORK_NAMES),
  kdf: z.strictObject({
    name: z.literal('scrypt'),
    n: z
      .int()
      .min(2)
      .max(MAX_SCRYPT_N)
      .refine((n) => Number.isInteger(Math.log2(n)), 'a power of two'),
    r: z.literal(8),
    p: z.literal(1),
  }),
  salt: hexOf(SALT_BYTES),
  cipher: z.literal('xchacha20poly1305'),
  nonce: hexOf(NONCE_BYTES),
})

const file = header.extend({ ciphertext: hexOf(CIPHERTEXT_BYTES) })

type KeystoreHeader = z.infer<typeof header>
type KeystoreFile = z.infer<typeof file>

/** What the cipher authenticates beside the secret: a lowered cost or another network fails like a wrong passphrase. */
export function associatedData(fields: KeystoreHeader): Uint8Array {
  const { version, network, kdf, salt, cipher, nonce } = fields
  return new TextEncoder().encode(
    JSON.stringify([version, network, kdf.name, kdf.n, kdf.r, kdf.p, salt, cipher, nonce]),
  )
}

export function encodeKeystoreFile(fields: KeystoreFile): string {
  return `${JSON.stringify(fields, null, 2)}\n`
}

/** Throws KeystoreError `keystore_malformed`. */
export function parseKeystoreFile(text: string): KeystoreFile {
  if (text.length > MAX_FILE_BYTES) {
    throw new KeystoreError('keystore_malformed', `a keystore is at most ${MAX_FILE_BYTES} bytes`)
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new KeystoreError('keystore_malformed', 'a keystore is a JSON file', cause)
  }
  const parsed = file.safeParse(json)
  if (parsed.success) return parsed.data
  throw new KeystoreError('keystore_malformed', `not a keystore: ${z.prettifyError(parsed.error)}`)
}
