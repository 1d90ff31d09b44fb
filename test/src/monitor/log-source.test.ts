import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { encodeEntryBundle } from '../../../src/log/entry-bundle.ts'
import { type LogSource, logAtUrl, logInFolder } from '../../../src/monitor/log-source.ts'
import { readCheckpoint, readEntries } from '../../../src/monitor/read-entries.ts'
import { entriesOf, headOf } from './memory-log.ts'

const ENTRIES = entriesOf(520)

/** Files under a log's prefix, as a server and as a mirror have them. */
type Files = Record<string, Uint8Array | string>

async function served(files: Files): Promise<LogSource> {
  const server = createServer((request, response) => {
    const file = files[request.url?.replace('/log/', '') ?? '']
    response.writeHead(file === undefined ? 404 : 200).end(file ?? 'not here')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return logAtUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

function folderOf(files: Files): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-mirror-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), bytes)
  }
  return folder
}

async function entriesFrom(source: LogSource, from: number, to: number, size: number): Promise<string[]> {
  const entries: string[] = []
  for await (const entry of readEntries(source, { from, to, size }))
    entries.push(Buffer.from(entry).toString('latin1'))
  return entries
}

const bundle = (from: number, to: number) => encodeEntryBundle(ENTRIES.slice(from, to))
const texts = (from: number, to: number) =>
  ENTRIES.slice(from, to).map((entry) => Buffer.from(entry).toString('latin1'))
const WHOLE: Files = {
  checkpoint: headOf(ENTRIES),
  'tile/entries/000': bundle(0, 256),
  'tile/entries/001': bundle(256, 512),
  'tile/entries/002.p/8': bundle(512, 520),
}

describe.each([
  ['over HTTP', served],
  ['in a folder', async (files: Files) => logInFolder(folderOf(files))],
])('a log %s', (_name, open) => {
  test('gives its checkpoint and any range of its entries', async () => {
    const source = await open(WHOLE)
    expect(await readCheckpoint(source)).toBe(WHOLE.checkpoint)
    for (const [from, to] of [
      [0, 520],
      [255, 257],
      [256, 256],
      [300, 400],
      [519, 520],
    ] as const) {
      expect(await entriesFrom(source, from, to, 520), `${from} to ${to}`).toEqual(texts(from, to))
    }
  })

  test('tells of each entry once its reader has done with it', async () => {
    const source = await open(WHOLE)
    const told: [number, number][] = []
    let read = 0
    for await (const _ of readEntries(source, { from: 250, to: 260, size: 520 }, (...progress) =>
      told.push(progress),
    )) {
      expect(told).toHaveLength(read)
      read += 1
    }
    expect(told).toEqual(Array.from({ length: 10 }, (_, at) => [at + 1, 10]))
  })

  test('whose partial bundle is gone gives the beginning of the full one', async () => {
    const source = await open({ 'tile/entries/000': bundle(0, 256) })
    expect(await entriesFrom(source, 3, 7, 7)).toEqual(texts(3, 7))
  })

  test('without checkpoint or entries says which', async () => {
    const source = await open({ 'tile/entries/000': bundle(0, 256) })
    await expect(readCheckpoint(source)).rejects.toMatchObject({ code: 'checkpoint_missing' })
    await expect(entriesFrom(source, 0, 300, 300)).rejects.toMatchObject({ code: 'entries_missing' })
  })

  test('whose bundle holds another number of entries is malformed', async () => {
    const source = await open({ 'tile/entries/000.p/7': bundle(0, 8) })
    await expect(entriesFrom(source, 0, 7, 7)).rejects.toMatchObject({ code: 'bundle_malformed' })
  })

  test('is read up to its limit and no further', async () => {
    const source = await open({ checkpoint: 'x'.repeat(101) })
    expect((await source.read('checkpoint', 101))?.length).toBe(101)
    await expect(source.read('checkpoint', 100)).rejects.toMatchObject({ code: 'answer_too_large' })
  })
})

test('a mirror that is no folder of files is unreadable', async () => {
  const source = logInFolder(folderOf({ 'checkpoint/inside': 'x' }))
  await expect(source.read('checkpoint', 10_000)).rejects.toMatchObject({ code: 'log_unreadable' })
})

test('a host that does not answer is an error, not a missing file', async () => {
  const source = logAtUrl('http://127.0.0.1:1')
  await expect(source.read('checkpoint', 100)).rejects.toMatchObject({ code: 'coordinator_unreachable' })
})
