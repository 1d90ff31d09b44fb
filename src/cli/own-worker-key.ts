import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { newWorkerKey } from '../../compute/work/worker-key.ts'
import { CliError, EXIT } from './exit-code.ts'

/** Made at the first start; it signs receipts and moves no coins, so it lies in the clear, for its owner alone. */
export function ownWorkerKey(dataDir: string): Uint8Array {
  const path = join(dataDir, 'worker.key')
  try {
    writeFileSync(path, `${Buffer.from(newWorkerKey()).toString('hex')}\n`, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  return readWorkerKey(dataDir)
}

/** Of a worker that has run in that folder. Throws CliError. */
export function readWorkerKey(dataDir: string): Uint8Array {
  const path = join(dataDir, 'worker.key')
  if (!existsSync(path)) {
    const text = `no worker has run in ${dataDir}: name the folder of one by --data`
    throw new CliError(EXIT.usage, 'worker_key_missing', text)
  }
  const text = readFileSync(path, 'utf8').trim()
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new CliError(EXIT.environment, 'worker_key_malformed', `${path}: expected 64 hex digits`)
  }
  return Buffer.from(text, 'hex')
}
