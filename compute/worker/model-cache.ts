import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Exchange } from './exchange.ts'
import type { OnWorkerEvent } from './worker-event.ts'

/** Protobuf's, and so ONNX's, limit on one message. */
const MAX_MODEL_BYTES = 2 ** 31

type ModelErrorCode = 'model_unavailable' | 'model_wrong_bytes' | 'model_too_large'

export class ModelError extends Error {
  readonly code: ModelErrorCode

  constructor(code: ModelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ModelError'
    this.code = code
  }
}

export interface ModelCache {
  /** Path of the model file whose SHA-256 is `digest` (hex), fetched if need be. Throws ModelError. */
  path(digest: string): Promise<string>
}

/** Model files by digest in `folder`; each is hashed before its first use in this process, wherever it comes from. */
export function createModelCache(o: {
  exchange: Exchange
  folder: string
  onEvent: OnWorkerEvent
}): ModelCache {
  const checked = new Map<string, Promise<string>>()

  async function provide(digest: string): Promise<string> {
    const path = join(o.folder, digest)
    if ((await hashFile(path)) === digest) return path
    await mkdir(o.folder, { recursive: true })
    const part = `${path}.${randomUUID()}.part`
    try {
      const { size, actual } = await download(digest, part)
      if (actual !== digest) throw new ModelError('model_wrong_bytes', `${digest} came as ${actual}`)
      await rename(part, path)
      o.onEvent({ type: 'fetched', model: digest, bytes: size })
      return path
    } finally {
      await rm(part, { force: true })
    }
  }

  async function download(digest: string, part: string): Promise<{ size: number; actual: string }> {
    const hash = createHash('sha256')
    let size = 0
    const measure = async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        size += chunk.length
        if (size > MAX_MODEL_BYTES) throw new ModelError('model_too_large', `over ${MAX_MODEL_BYTES} bytes`)
        hash.update(chunk)
        yield chunk
      }
    }
    try {
      await pipeline(
        await o.exchange.stream(`/blobs/${digest}`),
        measure,
        createWriteStream(part, { flush: true }),
      )
    } catch (cause) {
      if (cause instanceof ModelError) throw cause
      throw new ModelError('model_unavailable', cause instanceof Error ? cause.message : String(cause), {
        cause,
      })
    }
    return { size, actual: hash.digest('hex') }
  }

  return {
    path(digest) {
      const known = checked.get(digest)
      if (known !== undefined) return known
      const path = provide(digest)
      checked.set(digest, path)
      // A failure is not remembered: the next job may find the model there.
      path.catch(() => checked.delete(digest))
      return path
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
