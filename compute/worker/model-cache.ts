import { createHash } from 'node:crypto'
import { createReadStream, readdirSync, rmSync, statSync, utimesSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { MAX_MODEL_BYTES } from '../onnx/admission.ts'
import type { Exchange } from './exchange.ts'
import { downloadModel } from './model-download.ts'
import type { OnWorkerEvent } from './worker-event.ts'

export interface ModelCache {
  /**
   * Calls `run` with the path of the model file whose SHA-256 is `digest` (hex), fetched if need be; it stays there until `run` is
   * over. Throws ModelError, and what `run` throws.
   */
  use<T>(digest: string, run: (path: string) => Promise<T>): Promise<T>
}

/**
 * Model files by digest in `folder`; each is hashed before its first use in this process, wherever it comes from. Above `maxBytes`
 * of files, those unused for longest go.
 */
export function createModelCache(o: {
  exchange: Exchange
  folder: string
  maxBytes: number
  onEvent: OnWorkerEvent
}): ModelCache {
  const checked = new Map<string, Promise<string>>()
  const users = new Map<string, number>()

  async function provide(digest: string): Promise<string> {
    const path = join(o.folder, digest)
    if ((await hashFile(path)) === digest) return path
    await mkdir(o.folder, { recursive: true })
    const maxBytes = Math.min(MAX_MODEL_BYTES, o.maxBytes)
    try {
      const bytes = await downloadModel(o.exchange, { digest, path, maxBytes })
      o.onEvent({ type: 'fetched', model: digest, bytes })
      return path
    } finally {
      // What is left of a download that broke takes room as well.
      makeRoom(digest)
    }
  }

  /**
   * By the time of last use, which the file system keeps from one start to the next. What another model's download takes
   * away meanwhile is gone.
   */
  function makeRoom(newest: string): void {
    const files = readdirSync(o.folder).flatMap((name) => {
      const stat = statSync(join(o.folder, name), { throwIfNoEntry: false })
      return stat === undefined ? [] : [{ name, size: stat.size, mtimeMs: stat.mtimeMs }]
    })
    let bytes = files.reduce((sum, { size }) => sum + size, 0)
    for (const { name, size } of files.toSorted((a, b) => a.mtimeMs - b.mtimeMs)) {
      if (bytes <= o.maxBytes) return
      // Another model's download under way is its own business.
      if (name === newest || users.has(name) || (name.endsWith('.part') && checked.has(name.slice(0, -5)))) {
        continue
      }
      checked.delete(name)
      rmSync(join(o.folder, name), { force: true })
      bytes -= size
      o.onEvent({ type: 'evicted', model: name, bytes: size })
    }
  }

  function pathOf(digest: string): Promise<string> {
    const known = checked.get(digest)
    if (known !== undefined) return known
    const path = provide(digest)
    checked.set(digest, path)
    // A failure is not remembered: the next job may find the model there.
    path.catch(() => checked.delete(digest))
    return path
  }

  /** Once nobody uses it, and not at every run: in between it can't go. */
  function touch(digest: string): void {
    const now = new Date()
    try {
      utimesSync(join(o.folder, digest), now, now)
    } catch {
      // Somebody has taken the file away: it is fetched again for the next job.
      checked.delete(digest)
    }
  }

  return {
    async use(digest, run) {
      users.set(digest, (users.get(digest) ?? 0) + 1)
      try {
        return await run(await pathOf(digest))
      } finally {
        const left = (users.get(digest) ?? 1) - 1
        if (left > 0) users.set(digest, left)
        else {
          users.delete(digest)
          touch(digest)
        }
      }
    },
  }
}

/** Null when the file is not there. */
async function hashFile(path: string): Promise<string | null> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(path), hash)
    return hash.digest('hex')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
