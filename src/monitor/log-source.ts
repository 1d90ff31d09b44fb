import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { askCoordinator, ClientError } from '../client/ask-coordinator.ts'
import { MonitorError } from './monitor-error.ts'
import { readBounded } from './read-bounded.ts'

/** Where the files of a C2SP tlog-tiles log are read from. None of what it gives is believed. */
export interface LogSource {
  /** The file at that path under the log's prefix, at most `maxBytes`; null where there is none. */
  read(path: string, maxBytes: number): Promise<Uint8Array | null>
}

/** The log of a running coordinator. Throws ClientError, MonitorError `answer_too_large`. */
export function logAtUrl(url: string): LogSource {
  return {
    async read(path, maxBytes) {
      try {
        return await readBounded(await askCoordinator(url, `/log/${path}`), maxBytes)
      } catch (error) {
        if (error instanceof ClientError && error.status === 404) return null
        throw error
      }
    },
  }
}

/** A mirror: a folder with `checkpoint` and `tile/` in it. Throws MonitorError `log_unreadable`, `answer_too_large`. */
export function logInFolder(folder: string): LogSource {
  return {
    async read(path, maxBytes) {
      const file = join(folder, path)
      try {
        const { size } = await stat(file)
        if (size > maxBytes)
          throw new MonitorError('answer_too_large', `${file} has more than ${maxBytes} bytes`)
        return await readFile(file)
      } catch (error) {
        if (error instanceof MonitorError) throw error
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
        throw new MonitorError('log_unreadable', `${file} can't be read`, error)
      }
    },
  }
}
