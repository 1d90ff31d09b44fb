import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/config-schema.ts'
import { KeystoreError } from '../keystore/keystore-error.ts'
import { parseKeystoreFile } from '../keystore/keystore-file.ts'
import { type Finding, fail, ok } from './finding.ts'

const FOR_OTHERS = 0o077

/** All that can be seen of a keystore without its passphrase. */
export function checkKeystore({ dataDir, network }: Config): Finding {
  const path = join(dataDir, 'keystore.json')
  try {
    const keystore = parseKeystoreFile(readFileSync(path, 'utf8'))
    if (keystore.network !== network) {
      return fail(
        'keystore',
        `${path} holds keys for ${keystore.network}`,
        `Put the keystore for ${network} there.`,
      )
    }
  } catch (error) {
    return unusable(path, error)
  }
  const others = statSync(path).mode & FOR_OTHERS
  return others === 0
    ? ok('keystore', path)
    : fail('keystore', `${path} can be reached by others (mode ${modeText(path)})`, `chmod 600 ${path}`)
}

function unusable(path: string, error: unknown): Finding {
  if (error instanceof KeystoreError) {
    return fail('keystore', `${path}: ${error.message}`, 'Restore it from a backup, or from its words.')
  }
  if (!(error instanceof Error && 'code' in error)) throw error
  return error.code === 'ENOENT'
    ? fail('keystore', `there is no ${path}`, 'Run `assay init`, or put the keystore of a backup there.')
    : fail('keystore', `${path} can't be read: ${error.message}`, 'Run this, and `assay up`, as its owner.')
}

function modeText(path: string): string {
  return (statSync(path).mode & 0o777).toString(8).padStart(3, '0')
}
