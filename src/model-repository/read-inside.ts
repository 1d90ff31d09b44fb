import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { isAbsolute, join, relative, sep } from 'node:path'
import { RepositoryError } from './repository-error.ts'

/** A folder and nothing but it: a link may lead elsewhere inside, and not out. Paths are relative to it. */
export interface Inside {
  /** Names that `isWanted` of the folders in `path`. Throws RepositoryError: `repository_unreadable`, `repository_link_outside`. */
  folders(path: string, isWanted: (name: string) => boolean): string[]
  /** Null where there is none. Throws RepositoryError, also `repository_file_too_large`. */
  file(path: string, maxBytes: number): Uint8Array | null
}

/** Throws RepositoryError `repository_unreadable`. */
export function openInside(folder: string): Inside {
  const root = reading(folder, () => realpathSync(folder))

  /** Null where nothing is. */
  function resolve(path: string): string | null {
    const real = reading(path, () => unlessMissing(() => realpathSync(join(root, path))))
    if (real === null) return null
    const way = relative(root, real)
    if (way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)) {
      throw new RepositoryError('repository_link_outside', `${path}: leads out of ${folder}`)
    }
    return real
  }

  function isFolder(path: string): boolean {
    const real = resolve(path)
    return real !== null && reading(path, () => statSync(real).isDirectory())
  }

  return {
    folders(path, isWanted) {
      const names = reading(path === '' ? folder : path, () => readdirSync(resolve(path) ?? join(root, path)))
      return names.filter((name) => isWanted(name) && isFolder(join(path, name)))
    },

    file(path, maxBytes) {
      const real = resolve(path)
      if (real === null) return null
      const stat = reading(path, () => statSync(real))
      // Neither a folder, as Triton has for external data, nor a pipe that never ends.
      if (!stat.isFile()) throw new RepositoryError('repository_unreadable', `${path}: is no file`)
      if (stat.size > maxBytes) {
        const size = `${stat.size} bytes, at most ${maxBytes}`
        throw new RepositoryError('repository_file_too_large', `${path}: ${size}`)
      }
      return reading(path, () => new Uint8Array(readFileSync(real)))
    },
  }
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new RepositoryError('repository_unreadable', `${path}: ${why}`, { cause })
  }
}

function unlessMissing<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
