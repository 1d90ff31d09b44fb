import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Watch } from './progress.ts'
import { RegtestError } from './regtest-error.ts'
import { runCommand } from './run-command.ts'

const VERSION = '31.0'
const BASE_URL = `https://bitcoincore.org/bin/bitcoin-core-${VERSION}`
/** Platform and architecture as Node calls them → the release's archive and its SHA-256 (bitcoin-core/guix.sigs). */
const ARCHIVES = {
  'linux-x64': ['x86_64-linux-gnu', 'd3e4c58a35b1d0a97a457462c94f55501ad167c660c245cb1ffa565641c65074'],
  'linux-arm64': ['aarch64-linux-gnu', '4de1d568dedd48604f75132421bc0abeca432639589b49a3909c81db3a813112'],
  'darwin-x64': ['x86_64-apple-darwin', '56824dd705bc2a3b22d42e8aa02ed53498d491ff7c2c8aa96831333871887ead'],
  'darwin-arm64': ['arm64-apple-darwin', 'a2d7a13b4da53d4a3e4c517f3a0269e2429813417bb320d3b268993cfdc545d0'],
} as const

/** Without an answer by then, the other way to a bitcoind is tried. */
const CONNECT_TIMEOUT_MS = 5_000
/** A whole download: 50 MB at 1 Mbit/s take 7 minutes. */
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000
/** Releases are tens of megabytes. */
const MAX_ARCHIVE_BYTES = 128 * 1024 * 1024

export interface ReleaseArchive {
  /** Folder name in the cache. */
  readonly name: string
  readonly url: string
  readonly sha256: string
  /** Path of bitcoind inside the archive. */
  readonly member: string
}

/** The official release for this machine, or null where there is none. */
export function releaseArchive(platform: string, architecture: string): ReleaseArchive | null {
  const key = `${platform}-${architecture}`
  if (!isSupported(key)) return null
  const [triple, sha256] = ARCHIVES[key]
  return {
    name: `bitcoin-core-${VERSION}-${key}`,
    url: `${BASE_URL}/bitcoin-${VERSION}-${triple}.tar.gz`,
    sha256,
    member: `bitcoin-${VERSION}/bin/bitcoind`,
  }
}

/**
 * Puts `bitcoind` into the directory. Nothing is unpacked before its hash is right. Throws RegtestError
 * `bitcoind_download_failed` or `bitcoind_checksum_mismatch`.
 */
export async function fetchRelease(archive: ReleaseArchive, directory: string, watch: Watch): Promise<void> {
  const file = path.join(directory, 'release.tar.gz')
  const sha256 = await download(archive.url, file, watch)
  if (sha256 !== archive.sha256) {
    throw new RegtestError(
      'bitcoind_checksum_mismatch',
      `${archive.url} is not the pinned release: SHA-256 ${sha256}, expected ${archive.sha256}`,
    )
  }
  watch.onProgress?.({ step: 'unpack', detail: archive.name })
  const depth = archive.member.split('/').length - 1
  await runCommand(
    'tar',
    ['-xzf', file, '-C', directory, `--strip-components=${depth}`, archive.member],
    watch.signal,
  )
  await rm(file)
}

/** Streams the URL into the file; its SHA-256 in hex. */
async function download(url: string, file: string, { onProgress, signal }: Watch): Promise<string> {
  const timeout = new AbortController()
  const calledOff = AbortSignal.any([timeout.signal, ...(signal === undefined ? [] : [signal])])
  const abort = () => timeout.abort(new Error('timed out'))
  let timer = setTimeout(abort, CONNECT_TIMEOUT_MS)
  onProgress?.({ step: 'download', detail: url })
  try {
    const response = await fetch(url, { signal: calledOff })
    if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`)
    clearTimeout(timer)
    timer = setTimeout(abort, DOWNLOAD_TIMEOUT_MS)
    const totalBytes = Number(response.headers.get('content-length') ?? Number.NaN)
    const hash = createHash('sha256')
    let bytes = 0
    const meter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length
        hash.update(chunk)
        if (Number.isFinite(totalBytes)) {
          onProgress?.({ step: 'download', detail: url, fraction: bytes / totalBytes })
        }
        done(bytes > MAX_ARCHIVE_BYTES ? new Error(`more than ${MAX_ARCHIVE_BYTES} bytes`) : null, chunk)
      },
    })
    await pipeline(Readable.fromWeb(response.body), meter, createWriteStream(file), { signal: calledOff })
    return hash.digest('hex')
  } catch (cause) {
    signal?.throwIfAborted()
    throw new RegtestError('bitcoind_download_failed', `${url}: ${reasonOf(cause)}`, { cause })
  } finally {
    clearTimeout(timer)
  }
}

/** fetch says only "fetch failed" and keeps the reason in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}

function isSupported(key: string): key is keyof typeof ARCHIVES {
  return Object.hasOwn(ARCHIVES, key)
}
