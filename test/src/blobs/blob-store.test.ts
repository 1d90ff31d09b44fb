import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { type BlobStore, MAX_BLOB_BYTES, openBlobStore } from '../../../src/blobs/blob-store.ts'
import { MAX_SMALL_BLOB_BYTES } from '../../../src/blobs/small-blobs.ts'
import { openDatabase } from '../../../src/store/open-database.ts'

const HELLO = Buffer.from('hello')
/** `printf hello | sha256sum` */
const HELLO_NAME = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
/** Above what is kept in the database of small ones. `python3 -c "print(end='assay' * 40000)" | sha256sum` */
const LARGE = Buffer.from('assay'.repeat(40_000))
const LARGE_NAME = '54f52cf4134b00fbcd89635d58d85f0b72a31896c820efd527831c9b275d67f8'
const LARGE_FOLDER = '54'

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-blobs-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

function open(): { folder: string; blobs: BlobStore } {
  const folder = temporaryFolder()
  return { folder, blobs: openBlobStore(folder) }
}

function coded(code: string): unknown {
  return expect.objectContaining({ name: 'BlobError', code })
}

test('a large blob is named by its SHA-256, lies under its first byte, and comes back', () => {
  const { folder, blobs } = open()
  expect(blobs.putSync(LARGE)).toBe(LARGE_NAME)
  expect(readFileSync(join(folder, LARGE_FOLDER, LARGE_NAME))).toEqual(LARGE)
  expect(blobs.get(LARGE_NAME)).toEqual(LARGE)
  expect(blobs.has(LARGE_NAME)).toBe(true)
  expect(blobs.sizeBytes(LARGE_NAME)).toBe(LARGE.length)
  expect(openBlobStore(folder).get(LARGE_NAME)).toEqual(LARGE)
})

test('a small blob is named by its SHA-256, is no file of its own, and comes back, to another process too', async () => {
  const { folder, blobs } = open()
  expect(blobs.putSync(HELLO)).toBe(HELLO_NAME)
  expect(readdirSync(join(folder, HELLO_NAME.slice(0, 2)))).toEqual([])
  const other = openBlobStore(folder)
  for (const store of [blobs, other]) {
    expect(store.get(HELLO_NAME)).toEqual(HELLO)
    expect(store.has(HELLO_NAME)).toBe(true)
    expect(store.sizeBytes(HELLO_NAME)).toBe(5)
    const stream = await store.stream(HELLO_NAME)
    expect(stream?.sizeBytes).toBe(5)
    expect(stream && (await buffer(stream.body))).toEqual(HELLO)
  }
  blobs.close()
  other.putSync(HELLO)
})

test('blobs that are not synced yet come back all the same, small or large, to another process too', () => {
  const { folder, blobs } = open()
  blobs.putUnsynced([
    { name: HELLO_NAME, bytes: HELLO },
    { name: LARGE_NAME, bytes: LARGE },
  ])
  for (const store of [blobs, openBlobStore(folder)]) {
    expect(store.get(HELLO_NAME)).toEqual(HELLO)
    expect(store.get(LARGE_NAME)).toEqual(LARGE)
  }
})

test('a synced put brings along what was not, be its own blobs large or there already', () => {
  const { folder, blobs } = open()
  const writtenBytes = () => statSync(join(folder, 'small.sqlite-wal')).size
  blobs.putUnsynced([{ name: HELLO_NAME, bytes: HELLO }])
  for (const put of [() => blobs.putSync(LARGE), () => blobs.putMany([LARGE]), () => blobs.putSync(HELLO)]) {
    const before = writtenBytes()
    put()
    // A commit of its own: unsynced.test.ts says that those are synced.
    expect(writtenBytes()).toBeGreaterThan(before)
  }
})

test.each([MAX_SMALL_BLOB_BYTES, MAX_SMALL_BLOB_BYTES + 1])('%i bytes come back', (length) => {
  const { folder, blobs } = open()
  const bytes = Buffer.alloc(length, 'x')
  const name = blobs.putSync(bytes)
  expect(blobs.get(name)).toEqual(bytes)
  expect(existsSync(join(folder, name.slice(0, 2), name))).toBe(length > MAX_SMALL_BLOB_BYTES)
})

test('an absent blob is null everywhere', async () => {
  const { blobs } = open()
  expect(blobs.get(HELLO_NAME)).toBeNull()
  expect(blobs.has(HELLO_NAME)).toBe(false)
  expect(blobs.sizeBytes(HELLO_NAME)).toBeNull()
  expect(await blobs.stream(HELLO_NAME)).toBeNull()
})

test('any bytes put together come back one by one under their hashes, in the order given', () => {
  const { folder, blobs } = open()
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 8 }), (list) => {
      const names = blobs.putMany(list)
      expect(names).toEqual(list.map((bytes) => createHash('sha256').update(bytes).digest('hex')))
      expect(names.map((name) => Buffer.from(blobs.get(name) ?? []))).toEqual(
        list.map((bytes) => Buffer.from(bytes)),
      )
    }),
    { numRuns: 20 },
  )
  expect(readdirSync(join(folder, 'tmp'))).toEqual([])
})

test('a stream says the size and gives the bytes', async () => {
  const { blobs } = open()
  const bytes = Buffer.alloc(300_000, 'assay')
  const found = await blobs.stream(blobs.putSync(bytes))
  expect(found?.sizeBytes).toBe(bytes.length)
  expect(found && bytes.equals(await buffer(found.body))).toBe(true)
})

test.each([
  '',
  '../../etc/passwd',
  HELLO_NAME.toUpperCase(),
  HELLO_NAME.slice(1),
  `${HELLO_NAME}0`,
  `${HELLO_NAME}\n`,
  `${HELLO_NAME.slice(0, 61)}/..`,
])('the name %j is refused', async (name) => {
  const { blobs } = open()
  const refused = coded('blob_name_invalid')
  expect(() => blobs.get(name)).toThrow(refused)
  expect(() => blobs.has(name)).toThrow(refused)
  expect(() => blobs.sizeBytes(name)).toThrow(refused)
  await expect(blobs.stream(name)).rejects.toThrow(refused)
})

test('bytes that rotted on the disk are refused, and putting them again heals them', () => {
  const { folder, blobs } = open()
  blobs.putMany([LARGE, HELLO])
  writeFileSync(join(folder, LARGE_FOLDER, LARGE_NAME), 'hallo')
  const db = openDatabase(join(folder, 'small.sqlite'))
  db.prepare("UPDATE blob SET bytes = x'00'").run()
  db.close()
  for (const name of [LARGE_NAME, HELLO_NAME]) expect(() => blobs.get(name)).toThrow(coded('blob_corrupt'))
  blobs.putMany([LARGE, HELLO])
  expect([blobs.get(LARGE_NAME), blobs.get(HELLO_NAME)]).toEqual([LARGE, HELLO])
})

test('a blob above the limit is refused, and nothing of its batch is kept', () => {
  const { folder, blobs } = open()
  const tooLarge = new Uint8Array(MAX_BLOB_BYTES + 1)
  expect(() => blobs.putMany([HELLO, tooLarge])).toThrow(coded('blob_too_large'))
  expect(blobs.has(HELLO_NAME)).toBe(false)
  expect(readdirSync(join(folder, 'tmp'))).toEqual([])
})

test('a store that cannot be written says so with the cause, and leaves nothing aside', () => {
  const { folder, blobs } = open()
  rmSync(join(folder, LARGE_FOLDER), { recursive: true })
  expect(() => blobs.putSync(LARGE)).toThrow(
    expect.objectContaining({ code: 'blob_unwritable', cause: expect.objectContaining({ code: 'ENOENT' }) }),
  )
  expect(readdirSync(join(folder, 'tmp'))).toEqual([])
  expect(() => openBlobStore(join(folder, 'file', 'below'))).not.toThrow()
  writeFileSync(join(folder, 'plain'), '')
  expect(() => openBlobStore(join(folder, 'plain'))).toThrow(coded('blob_unwritable'))
})

test('a blob that cannot be read is not taken for an absent one', async () => {
  const { folder, blobs } = open()
  rmSync(join(folder, LARGE_FOLDER), { recursive: true })
  writeFileSync(join(folder, LARGE_FOLDER), 'a file where a folder should be')
  expect(() => blobs.get(LARGE_NAME)).toThrow(coded('blob_unreadable'))
  await expect(blobs.stream(LARGE_NAME)).rejects.toThrow(coded('blob_unreadable'))
})

test('opening sweeps what a crash left a day ago, and leaves what may be in use', () => {
  const { folder } = open()
  const [old, fresh] = [join(folder, 'tmp', 'old'), join(folder, 'tmp', 'fresh')]
  writeFileSync(old, 'half')
  writeFileSync(fresh, 'half')
  const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 60 * 60
  utimesSync(old, twoDaysAgo, twoDaysAgo)
  openBlobStore(folder)
  expect([existsSync(old), existsSync(fresh)]).toEqual([false, true])
})

test('free space is what the file system reports', () => {
  const { blobs } = open()
  expect(blobs.freeBytes()).toBeGreaterThan(0)
  expect(Number.isSafeInteger(blobs.freeBytes())).toBe(true)
})

test('a process killed while it puts blobs leaves only whole ones, and every one that it reported', async () => {
  const { folder } = open()
  const child = spawn(process.execPath, [join(import.meta.dirname, 'put-until-killed.ts'), folder])
  const reported: string[] = []
  for await (const name of createInterface({ input: child.stdout })) {
    reported.push(name)
    if (reported.length === 50) child.kill('SIGKILL')
  }
  expect(reported.length).toBeGreaterThanOrEqual(50)
  const blobs = openBlobStore(folder)
  const present = readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /^[0-9a-f]{64}$/.test(entry.name))
    .map((entry) => entry.name)
  for (const name of [...present, ...reported]) expect(blobs.get(name)).not.toBeNull()
})

test('what is removed is gone, small or large; the others and what was never there are left alone', () => {
  const { folder, blobs } = open()
  const [kept] = blobs.putMany([Buffer.from('kept'), HELLO, LARGE])
  blobs.remove([HELLO_NAME, LARGE_NAME, '00'.repeat(32)])
  blobs.remove([HELLO_NAME])
  expect([HELLO_NAME, LARGE_NAME].map(blobs.get)).toEqual([null, null])
  expect(existsSync(join(folder, LARGE_FOLDER, LARGE_NAME))).toBe(false)
  expect(blobs.has(kept ?? '')).toBe(true)
  expect(() => blobs.remove(['../../etc'])).toThrow(coded('blob_name_invalid'))
  expect(blobs.putSync(LARGE)).toBe(LARGE_NAME)
  expect(blobs.get(LARGE_NAME)).toEqual(LARGE)
})
