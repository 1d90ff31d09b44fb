import { unlinkSync } from 'node:fs'

/** Takes what only one of two processes may have; false: the other one had it first. */
export function takeClaim(path: string): boolean {
  try {
    unlinkSync(path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}
