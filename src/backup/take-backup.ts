import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { copyBlobs } from './copy-blobs.ts'
import { copyDatabase, examineDatabase } from './copy-database.ts'
import { copyDurably } from './copy-file.ts'
import { hashFile } from './hash-file.ts'
import { encodeManifest, MANIFEST, type Manifest } from './manifest.ts'
import { writeWholeFolder } from './whole-folder.ts'

export interface BackupOptions {
  readonly dataDir: string
  readonly configFile: string
  readonly origin: string
  readonly network: string
  /** A new folder; on another disk, or what is lost with this one is lost. */
  readonly out: string
  readonly withKeystore: boolean
  readonly onProgress: (blobs: number, of: number) => void
}

export interface Backup extends Manifest {
  readonly folder: string
  readonly linkedBlobs: number
}

/**
 * Backs a data folder up, whether its coordinator runs or not. The database comes first: what it names was written before it,
 * and what comes after it does no harm. Throws BackupError, and the system's errors where disk or permission fail.
 */
export async function takeBackup(options: BackupOptions): Promise<Backup> {
  const { dataDir, out, origin, network } = options
  return writeWholeFolder(out, async (folder) => {
    const takenAt = new Date().toISOString()
    await copyDatabase(join(dataDir, 'assay.sqlite'), join(folder, 'assay.sqlite'))
    const log = examineDatabase(join(folder, 'assay.sqlite'))
    const { linked, ...blobs } = await copyBlobs(
      join(dataDir, 'blobs'),
      join(folder, 'blobs'),
      options.onProgress,
    )
    const files = await copyFiles(options, folder)
    const manifest: Manifest = { version: 1, origin, network, takenAt, log, files, blobs }
    writeFileSync(join(folder, MANIFEST), encodeManifest(manifest), { mode: 0o600, flush: true })
    return { ...manifest, folder: out, linkedBlobs: linked }
  })
}

/** @returns SHA-256 of each file, the database's too. */
async function copyFiles(
  { dataDir, configFile, withKeystore }: BackupOptions,
  folder: string,
): Promise<Manifest['files']> {
  const copyAs = async (name: string, from = join(dataDir, name)) => {
    await copyDurably(from, join(folder, name))
    return hashFile(join(folder, name))
  }
  return {
    'assay.sqlite': await hashFile(join(folder, 'assay.sqlite')),
    'assay.toml': await copyAs('assay.toml', configFile),
    ...(withKeystore ? { 'keystore.json': await copyAs('keystore.json') } : {}),
    // There are none before the first anchor.
    ...(existsSync(join(dataDir, 'payloads')) ? { payloads: await copyAs('payloads') } : {}),
  }
}
