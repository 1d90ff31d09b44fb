import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openBlobStore } from '../../../src/blobs/blob-store.ts'
import { openLog } from '../../../src/log/log-store.ts'
import { openDatabase } from '../../../src/store/open-database.ts'

export const ORIGIN = 'test.assay.example/log'
export const ENTRIES = 5
/** Two that are files of their own, two that are not. */
export const BLOBS = ['one blob'.repeat(20_000), 'another blob'.repeat(20_000), 'a small one', '']
export const LARGE_BLOBS = 2

/** A data folder as a coordinator leaves it, small, and room beside it that the test's end removes. */
export function makeDataFolder(): { dataDir: string; configFile: string; beside: (name: string) => string } {
  const room = mkdtempSync(join(tmpdir(), 'assay-backup-'))
  onTestFinished(() => rmSync(room, { recursive: true, force: true }))
  const dataDir = join(room, 'data')
  const blobs = openBlobStore(join(dataDir, 'blobs'))
  blobs.putMany(BLOBS.map((text) => Buffer.from(text)))
  blobs.close()
  const db = openDatabase(join(dataDir, 'assay.sqlite'))
  const log = openLog({ db, origin: ORIGIN, seed: new Uint8Array(32).fill(1) })
  const append = db.transaction((text: string) => log.append(Buffer.from(text)))
  for (let n = 0; n < ENTRIES; n += 1) append.immediate(`entry ${n}`)
  db.close()
  writeFileSync(join(dataDir, 'payloads'), `${'ab'.repeat(40)}\n`)
  writeFileSync(join(dataDir, 'keystore.json'), '{"sealed": "by a passphrase"}\n', { mode: 0o600 })
  const configFile = join(room, 'assay.toml')
  writeFileSync(
    configFile,
    `network = 'regtest'\ndataDir = '${dataDir}'\norigin = '${ORIGIN}'\n` +
      `[bitcoind]\ncookieFile = '/nowhere/.cookie'\n[epoch]\nstartHeight = 100\n`,
  )
  return { dataDir, configFile, beside: (name) => join(room, name) }
}
