import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { fetchRelease, type ReleaseArchive, releaseArchive } from '../../regtest/fetch-release.ts'
import type { Progress } from '../../regtest/progress.ts'
import { runCommand } from '../../regtest/run-command.ts'

let folder: string
let target: string
let server: Server
let served: Buffer
let archive: ReleaseArchive

/** A tarball in the shape of a release, served from here: `/missing` is not there, `/endless` never ends. */
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'assay-release-'))
  target = path.join(folder, 'target')
  await mkdir(target)
  await mkdir(path.join(folder, 'bitcoin-31.0/bin'), { recursive: true })
  await writeFile(path.join(folder, 'bitcoin-31.0/bin/bitcoind'), 'the program')
  await writeFile(path.join(folder, 'bitcoin-31.0/README.md'), 'not wanted')
  await runCommand('tar', ['-czf', path.join(folder, 'release.tar.gz'), '-C', folder, 'bitcoin-31.0'])
  served = await readFile(path.join(folder, 'release.tar.gz'))
  server = createServer((request, response) => {
    if (request.url === '/release.tar.gz') response.end(served)
    else if (request.url === '/endless') response.write('the first part')
    else response.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  archive = {
    name: 'bitcoin-core-test',
    url: `http://127.0.0.1:${address.port}/release.tar.gz`,
    sha256: createHash('sha256').update(served).digest('hex'),
    member: 'bitcoin-31.0/bin/bitcoind',
  }
})

afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true })
})

it('unpacks bitcoind alone from an archive with the pinned hash, and tells how far it is', async () => {
  const progress: Progress[] = []
  await fetchRelease(archive, target, { onProgress: (step) => progress.push(step) })
  expect(await readdir(target)).toEqual(['bitcoind'])
  expect(await readFile(path.join(target, 'bitcoind'), 'utf8')).toBe('the program')
  expect(progress.findLast(({ step }) => step === 'download')).toMatchObject({ fraction: 1 })
  expect(progress.at(-1)).toMatchObject({ step: 'unpack' })
})

it('refuses an archive that differs in one byte, and unpacks nothing', async () => {
  served = Buffer.from(served)
  served[served.length - 1] = (served.at(-1) ?? 0) ^ 1
  await expect(fetchRelease(archive, target, {})).rejects.toMatchObject({
    code: 'bitcoind_checksum_mismatch',
    message: expect.stringContaining(archive.sha256),
  })
  expect(await readdir(target)).not.toContain('bitcoind')
})

it('says which address does not have the archive', async () => {
  const url = archive.url.replace('release.tar.gz', 'missing')
  await expect(fetchRelease({ ...archive, url }, target, {})).rejects.toMatchObject({
    code: 'bitcoind_download_failed',
    message: `${url}: HTTP 404`,
  })
})

it('says that nobody answers', async () => {
  server.close()
  server.closeAllConnections()
  await expect(fetchRelease(archive, target, {})).rejects.toMatchObject({
    code: 'bitcoind_download_failed',
    message: expect.stringContaining('ECONNREFUSED'),
  })
})

it('is called off in the middle of a download', async () => {
  const abort = new AbortController()
  const reason = new Error('called off')
  const fetching = fetchRelease(
    { ...archive, url: archive.url.replace('release.tar.gz', 'endless') },
    target,
    {
      signal: abort.signal,
    },
  )
  await once(server, 'request')
  abort.abort(reason)
  await expect(fetching).rejects.toBe(reason)
})

it('refuses an archive without a bitcoind', async () => {
  await expect(
    fetchRelease({ ...archive, member: 'bitcoin-31.0/bin/other' }, target, {}),
  ).rejects.toMatchObject({ code: 'bitcoind_download_failed' })
})

it.each([
  ['linux', 'x64', 'bitcoin-31.0-x86_64-linux-gnu.tar.gz'],
  ['linux', 'arm64', 'bitcoin-31.0-aarch64-linux-gnu.tar.gz'],
  ['darwin', 'x64', 'bitcoin-31.0-x86_64-apple-darwin.tar.gz'],
  ['darwin', 'arm64', 'bitcoin-31.0-arm64-apple-darwin.tar.gz'],
])('knows the official archive for %s on %s', (platform, architecture, file) => {
  expect(releaseArchive(platform, architecture)).toMatchObject({
    url: `https://bitcoincore.org/bin/bitcoin-core-31.0/${file}`,
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  })
})

it.each([
  ['win32', 'x64'],
  ['linux', 'riscv64'],
  ['constructor', ''],
])('knows none for %s on %s', (platform, architecture) => {
  expect(releaseArchive(platform, architecture)).toBeNull()
})
