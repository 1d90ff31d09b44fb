import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { CoordinatorError } from './coordinator-error.ts'
import type { Exchange } from './exchange.ts'
import { ModelError } from './model-error.ts'

/**
 * Fetches the model whose SHA-256 is `digest` (hex) to `path`. What comes before a line breaks stays in `<path>.part`, and the next
 * attempt goes on there. Throws ModelError. @returns bytes
 */
export async function downloadModel(
  exchange: Exchange,
  { digest, path, maxBytes }: { digest: string; path: string; maxBytes: number },
): Promise<number> {
  const part = `${path}.part`
  const held = await hashHeld(part)
  const { bytes, hash } = await fetchRest(exchange, { digest, part, maxBytes, held })
  const actual = hash.digest('hex')
  if (actual !== digest) {
    await rm(part, { force: true })
    throw new ModelError('model_wrong_bytes', `${digest} came as ${actual}`)
  }
  await rename(part, path)
  return bytes
}

interface Held {
  readonly bytes: number
  readonly hash: Hash
}

async function fetchRest(
  exchange: Exchange,
  { digest, part, maxBytes, held }: { digest: string; part: string; maxBytes: number; held: Held },
): Promise<Held> {
  let { bytes, hash } = held
  try {
    const { body, from } = await exchange.stream(`/blobs/${digest}`, held.bytes)
    // A server that knows no ranges sends all of it again.
    if (from === 0) [bytes, hash] = [0, createHash('sha256')]
    await using file = await open(part, from === 0 ? 'w' : 'a')
    for await (const chunk of body) {
      bytes += chunk.length
      if (bytes > maxBytes) throw new ModelError('model_too_large', `over ${maxBytes} bytes`)
      hash.update(chunk)
      await file.appendFile(chunk)
    }
    await file.sync()
    return { bytes, hash }
  } catch (cause) {
    // A part that is longer than the whole (RFC 9110 §15.5.17), or too long for us, leads nowhere.
    const isUseless =
      cause instanceof ModelError || (cause instanceof CoordinatorError && cause.status === 416)
    if (isUseless) await rm(part, { force: true })
    if (cause instanceof ModelError) throw cause
    throw new ModelError('model_unavailable', cause instanceof Error ? cause.message : String(cause), {
      cause,
    })
  }
}

async function hashHeld(part: string): Promise<Held> {
  const hash = createHash('sha256')
  let bytes = 0
  try {
    for await (const chunk of createReadStream(part)) {
      bytes += chunk.length
      hash.update(chunk)
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  return { bytes, hash }
}
