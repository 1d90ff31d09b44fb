import os from 'node:os'
import path from 'node:path'
import { fetchDebian } from './fetch-debian.ts'
import { fetchRelease, releaseArchive } from './fetch-release.ts'
import { installOnce, isExecutable } from './install-once.ts'
import type { Watch } from './progress.ts'
import { RegtestError } from './regtest-error.ts'

/**
 * The path of a bitcoind for regtest: the one given, else the environment's ASSAY_BITCOIND, else one on PATH, else
 * one in the cache ($XDG_CACHE_HOME/assay or ~/.cache/assay), where it is fetched once: the official release with
 * a pinned hash, or Debian's package where that can't be reached. Throws RegtestError.
 *
 * The one place outside src/cli that reads the environment: regtest/ is a library for other people's CI, and
 * there the environment is what a job can set.
 */
export async function findBitcoind(binary: string | undefined, watch: Watch): Promise<string> {
  const { ASSAY_BITCOIND, PATH = '', XDG_CACHE_HOME } = process.env
  if (binary !== undefined) return expectExecutable(binary, 'binary')
  if (ASSAY_BITCOIND) return expectExecutable(ASSAY_BITCOIND, 'ASSAY_BITCOIND')
  for (const folder of PATH.split(path.delimiter).filter(path.isAbsolute)) {
    const candidate = path.join(folder, 'bitcoind')
    if (await isExecutable(candidate)) return candidate
  }
  return fetchBitcoind(path.join(XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'assay'), watch)
}

async function expectExecutable(file: string, source: string): Promise<string> {
  if (await isExecutable(file)) return path.resolve(file)
  throw new RegtestError('bitcoind_unavailable', `${source}: ${file} is not an executable file`)
}

async function fetchBitcoind(cacheDir: string, watch: Watch): Promise<string> {
  const debianName = `bitcoind-debian-${process.arch}`
  const archive = releaseArchive(process.platform, process.arch)
  const reasons: unknown[] = []
  // A node that an earlier run could only get from Debian is kept: asking for the release again would cost every
  // start a time-out.
  const debian = path.join(cacheDir, debianName, 'bitcoind')
  if (await isExecutable(debian)) return debian
  if (archive !== null) {
    try {
      return await installOnce(cacheDir, archive.name, 'bitcoind', watch, (directory) =>
        fetchRelease(archive, directory, watch),
      )
    } catch (error) {
      reasons.push(passUnlessUnreachable(error))
    }
  }
  if (process.platform === 'linux') {
    try {
      return await installOnce(cacheDir, debianName, 'bitcoind', watch, (directory) =>
        fetchDebian(directory, process.arch, watch),
      )
    } catch (error) {
      reasons.push(passUnlessUnreachable(error))
    }
  }
  const messages = reasons.map((reason) => (reason instanceof Error ? reason.message : String(reason)))
  throw new RegtestError(
    'bitcoind_unavailable',
    `No bitcoind here, and none could be fetched. Install Bitcoin Core so that bitcoind is on PATH, or name it in ` +
      `ASSAY_BITCOIND. Tried:\n- ${messages.join('\n- ') || `nothing is known for ${process.platform}`}`,
    { cause: new AggregateError(reasons) },
  )
}

/** Only what can't be had moves on to the next way: a wrong checksum is an alarm and ends the search. */
function passUnlessUnreachable(error: unknown): RegtestError {
  if (error instanceof RegtestError && error.code === 'bitcoind_download_failed') return error
  if (error instanceof RegtestError && error.code === 'bitcoind_unavailable') return error
  throw error
}
