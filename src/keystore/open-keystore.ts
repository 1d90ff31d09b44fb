import { readFile } from 'node:fs/promises'
import type { NetworkName } from '../../anchor/network.ts'
import { deriveKeys, type Keys } from './derive-keys.ts'
import { KeystoreError } from './keystore-error.ts'
import { associatedData, parseKeystoreFile } from './keystore-file.ts'
import { formatMnemonic } from './mnemonic.ts'
import { deriveSealKey, openSecret } from './seal-secret.ts'

/**
 * Throws KeystoreError `keystore_missing`, `keystore_malformed`, `network_mismatch`, `passphrase_empty`, `passphrase_wrong`.
 */
export async function openKeystore(
  path: string,
  options: { passphrase: string; network: NetworkName },
): Promise<Keys> {
  const { ciphertext, ...header } = parseKeystoreFile(await read(path))
  if (header.network !== options.network) {
    throw new KeystoreError(
      'network_mismatch',
      `${path} holds keys for ${header.network}, not for ${options.network}`,
    )
  }
  const key = await deriveSealKey(options.passphrase, Buffer.from(header.salt, 'hex'), header.kdf)
  const nonce = Buffer.from(header.nonce, 'hex')
  const entropy = openSecret(Buffer.from(ciphertext, 'hex'), key, nonce, associatedData(header))
  return deriveKeys(formatMnemonic(entropy), options.network)
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new KeystoreError('keystore_missing', `${path} can't be read`, cause)
  }
}
