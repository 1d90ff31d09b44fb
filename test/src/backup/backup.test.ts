import { spawn } from 'node:child_process'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { blobPaths } from '../../../src/backup/copy-blobs.ts'
import { examineDatabase } from '../../../src/backup/copy-database.ts'
import { restoreBackup } from '../../../src/backup/restore-backup.ts'
import { takeBackup } from '../../../src/backup/take-backup.ts'
import { openBlobStore } from '../../../src/blobs/blob-store.ts'
import { openLogRows } from '../../../src/log/log-rows.ts'
import { treeHash } from '../../../src/log/rfc6962.ts'
import { openDatabase } from '../../../src/store/open-database.ts'
import { BLOBS, ENTRIES, LARGE_BLOBS, makeDataFolder, ORIGIN } from './data-folder.ts'

const quietly = () => undefined

function backUp(folder: { dataDir: string; configFile: string }, out: string, withKeystore = false) {
  return takeBackup({
    dataDir: folder.dataDir,
    configFile: folder.configFile,
    origin: ORIGIN,
    network: 'regtest',
    out,
    withKeystore,
    onProgress: quietly,
  })
}

function restore(from: string, to: string) {
  return restoreBackup({ from, to, onProgress: quietly })
}

test('what is restored is what was backed up, byte for byte', async () => {
  const folder = makeDataFolder()
  const out = folder.beside('backup')
  const taken = await backUp(folder, out, true)
  expect(taken).toMatchObject({
    log: { size: ENTRIES },
    blobs: { count: BLOBS.length, bytes: BLOBS.join('').length },
  })
  const to = folder.beside('restored')
  await restore(out, to)
  expect(blobPaths(join(to, 'blobs')).toSorted()).toEqual(blobPaths(join(folder.dataDir, 'blobs')).toSorted())
  for (const name of [
    'payloads',
    'keystore.json',
    ...blobPaths(join(to, 'blobs')).map((path) => `blobs/${path}`),
  ]) {
    expect(readFileSync(join(to, name)), name).toEqual(readFileSync(join(folder.dataDir, name)))
  }
  const restored = openBlobStore(join(to, 'blobs'))
  for (const text of BLOBS) expect(`${restored.get(hash('sha256', text))}`).toBe(text)
  restored.close()
  expect(readFileSync(join(to, 'assay.toml'))).toEqual(readFileSync(folder.configFile))
  expect(examineDatabase(join(to, 'assay.sqlite'))).toEqual(taken.log)
  openDatabase(join(to, 'assay.sqlite')).close()
})

test('the keystore stays where it is unless it is asked for, and only the owner reads a backup', async () => {
  const folder = makeDataFolder()
  await backUp(folder, folder.beside('without'))
  expect(readdirSync(folder.beside('without')).toSorted()).toEqual([
    'assay.sqlite',
    'assay.toml',
    'blobs',
    'manifest.json',
    'payloads',
  ])
  await backUp(folder, folder.beside('with'), true)
  expect(statSync(folder.beside('with')).mode & 0o777).toBe(0o700)
  for (const secret of ['keystore.json', 'assay.toml', 'payloads']) {
    expect(statSync(join(folder.beside('with'), secret)).mode & 0o777, secret).toBe(0o600)
  }
})

test('before the first anchor there are no payloads, and a backup is one all the same', async () => {
  const folder = makeDataFolder()
  rmSync(join(folder.dataDir, 'payloads'))
  await backUp(folder, folder.beside('backup'))
  await restore(folder.beside('backup'), folder.beside('restored'))
  expect(existsSync(join(folder.beside('restored'), 'payloads'))).toBe(false)
})

test('a process that never stops writing is backed up as of one moment', async () => {
  const folder = makeDataFolder()
  const database = join(folder.dataDir, 'assay.sqlite')
  const writer = spawn(process.execPath, [join(import.meta.dirname, 'append-forever.ts'), database], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void writer.kill('SIGKILL'))
  await once(writer.stdout, 'data')
  const first = await backUp(folder, folder.beside('first'))
  const second = await backUp(folder, folder.beside('second'))
  writer.kill('SIGKILL')
  await once(writer, 'exit')
  expect(first.log.size).toBeGreaterThan(ENTRIES)
  expect(second.log.size).toBeGreaterThan(first.log.size)
  const db = openDatabase(database)
  for (const { log } of [first, second]) {
    expect(Buffer.from(treeHash(log.size, openLogRows(db).node)).toString('hex')).toBe(log.root)
  }
  db.close()
})

test('blobs on the same disk are hard links, and what the store writes later changes none of them', async () => {
  const folder = makeDataFolder()
  const { linkedBlobs } = await backUp(folder, folder.beside('backup'))
  expect(linkedBlobs).toBe(LARGE_BLOBS)
  const linked = firstBlob(folder.beside('backup'))
  const { ino } = statSync(linked)
  openBlobStore(join(folder.dataDir, 'blobs')).putMany(BLOBS.map((text) => Buffer.from(text)))
  expect(statSync(linked)).toMatchObject({ ino, nlink: 1 })
  await restore(folder.beside('backup'), folder.beside('restored'))
})

/** A folder on another disk than the temporary one, which may itself be in memory; undefined where there is none. */
const OTHER_DISK = ['/dev/shm', process.cwd()].find(
  (path) => existsSync(path) && statSync(path).dev !== statSync(tmpdir()).dev,
)

test.skipIf(OTHER_DISK === undefined)('blobs on another file system are copies', async () => {
  const folder = makeDataFolder()
  const elsewhere = mkdtempSync(join(OTHER_DISK ?? '', '.assay-backup-'))
  onTestFinished(() => rmSync(elsewhere, { recursive: true, force: true }))
  const { linkedBlobs, blobs } = await backUp(folder, join(elsewhere, 'backup'))
  expect({ linkedBlobs, count: blobs.count }).toEqual({ linkedBlobs: 0, count: BLOBS.length })
  await restore(join(elsewhere, 'backup'), folder.beside('restored'))
})

test('nothing is ever written over: neither a backup nor a data folder', async () => {
  const folder = makeDataFolder()
  const out = folder.beside('backup')
  await backUp(folder, out)
  await expect(backUp(folder, out)).rejects.toMatchObject({ code: 'backup_target_exists' })
  await expect(restore(out, folder.dataDir)).rejects.toMatchObject({ code: 'backup_target_exists' })
  mkdirSync(folder.beside('empty'))
  await expect(restore(out, folder.beside('empty'))).rejects.toMatchObject({ code: 'backup_target_exists' })
})

test('a backup that fails leaves nothing behind', async () => {
  const folder = makeDataFolder()
  rmSync(join(folder.dataDir, 'keystore.json'))
  const before = readdirSync(dirname(folder.dataDir))
  await expect(backUp(folder, folder.beside('backup'), true)).rejects.toMatchObject({ code: 'ENOENT' })
  rmSync(join(folder.dataDir, 'assay.sqlite'))
  await expect(backUp(folder, folder.beside('backup'))).rejects.toMatchObject({
    code: 'backup_source_missing',
  })
  expect(readdirSync(dirname(folder.dataDir))).toEqual(before)
})

const DAMAGES: Readonly<Record<string, { damage: (backup: string) => void; code: string }>> = {
  'a database with a byte more': {
    damage: (b) => appendFileSync(join(b, 'assay.sqlite'), 'x'),
    code: 'backup_corrupt',
  },
  'a configuration changed': {
    damage: (b) => appendFileSync(join(b, 'assay.toml'), '#'),
    code: 'backup_corrupt',
  },
  'payloads missing': { damage: (b) => rmSync(join(b, 'payloads')), code: 'backup_corrupt' },
  'a blob missing': { damage: (b) => rmSync(firstBlob(b)), code: 'backup_corrupt' },
  'all blobs missing': {
    damage: (b) => rmSync(join(b, 'blobs'), { recursive: true }),
    code: 'backup_corrupt',
  },
  'a blob of other bytes': { damage: (b) => replace(firstBlob(b), 'other bytes'), code: 'backup_corrupt' },
  'the small blobs missing': {
    damage: (b) => rmSync(join(b, 'blobs', 'small.sqlite')),
    code: 'backup_corrupt',
  },
  'a small blob of other bytes': {
    damage(b) {
      const db = openDatabase(join(b, 'blobs', 'small.sqlite'))
      db.prepare("UPDATE blob SET bytes = CAST('b small one' AS BLOB) WHERE length(bytes) = 11").run()
      db.close()
    },
    code: 'backup_corrupt',
  },
  'a manifest that tells of another log': {
    damage: (b) => edit(join(b, 'manifest.json'), `"size": ${ENTRIES}`, `"size": ${ENTRIES + 1}`),
    code: 'backup_corrupt',
  },
  'a manifest of a later version': {
    damage: (b) => edit(join(b, 'manifest.json'), '"version": 1', '"version": 2'),
    code: 'backup_malformed',
  },
  'a manifest cut short': {
    damage: (b) =>
      replace(join(b, 'manifest.json'), readFileSync(join(b, 'manifest.json'), 'utf8').slice(0, -3)),
    code: 'backup_malformed',
  },
  'no manifest': { damage: (b) => rmSync(join(b, 'manifest.json')), code: 'backup_malformed' },
  'a manifest that names a file elsewhere': {
    damage: (b) => edit(join(b, 'manifest.json'), '"payloads"', '"../data/payloads"'),
    code: 'backup_malformed',
  },
}

for (const [what, { damage, code }] of Object.entries(DAMAGES)) {
  test(`${what} is not restored, and nothing is left`, async () => {
    const folder = makeDataFolder()
    const backup = folder.beside('backup')
    await backUp(folder, backup)
    damage(backup)
    const before = readdirSync(dirname(folder.dataDir))
    await expect(restore(backup, folder.beside('restored'))).rejects.toMatchObject({ code })
    expect(readdirSync(dirname(folder.dataDir))).toEqual(before)
  })
}

function firstBlob(backup: string): string {
  const [first = ''] = blobPaths(join(backup, 'blobs'))
  return join(backup, 'blobs', first)
}

/** A new file of that name: the old one may be a hard link. */
function replace(file: string, text: string): void {
  rmSync(file)
  writeFileSync(file, text)
}

function edit(file: string, from: string, to: string): void {
  const text = readFileSync(file, 'utf8')
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`)
  replace(file, text.replace(from, to))
}
