import type { NetworkName } from '../../anchor/network.ts'
import { KeystoreError } from './keystore-error.ts'
import { associatedData, encodeKeystoreFile } from './keystore-file.ts'
import { newMnemonic, parseMnemonic } from './mnemonic.ts'
import { deriveSealKey, newNonce, newSalt, sealSecret } from './seal-secret.ts'
import { writeNewFile } from './write-new-file.ts'

/** 128 MiB and about half a second on a desktop core (RFC 7914 leaves the choice to the user). */
const SCRYPT_N = 2 ** 17

/**
 * Writes a new keystore, readable by its owner alone; never over a file that is there.
 * Without `mnemonic` nobody ever sees the words, so that the file is the only copy of the keys.
 * Throws KeystoreError `keystore_exists`, `keystore_unwritable`, `mnemonic_invalid`, `passphrase_empty`.
 */
export async function createKeystore(
  path: string,
  options: { passphrase: string; network: NetworkName; mnemonic?: string; scryptN?: number },
): Promise<void> {
  const entropy = parseMnemonic(options.mnemonic ?? newMnemonic())
  const cost = { n: options.scryptN ?? SCRYPT_N, r: 8, p: 1 } as const
  const salt = newSalt()
  const nonce = newNonce()
  const header = {
    version: 1,
    network: options.network,
    kdf: { name: 'scrypt', ...cost },
    salt: Buffer.from(salt).toString('hex'),
    cipher: 'xchacha20poly1305',
    nonce: Buffer.from(nonce).toString('hex'),
  } as const
  const key = await deriveSealKey(options.passphrase, salt, cost)
  const sealed = sealSecret(entropy, key, nonce, associatedData(header))
  const text = encodeKeystoreFile({ ...header, ciphertext: Buffer.from(sealed).toString('hex') })
  if (!(await writeNewFile(path, text))) {
    throw new KeystoreError('keystore_exists', `${path} is there already and is never overwritten`)
  }
}
