import { access, constants, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { withCacheLock } from './cache-lock.ts'
import type { Watch } from './progress.ts'

/** Whether that file is there and may be run. */
export async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  )
}

/**
 * The path of `program` in the cache's folder `name`, which `install` fills when it isn't there yet. Any number of
 * processes may ask at once: one installs, the others wait. The folder appears whole or not at all, by rename.
 */
export async function installOnce(
  cacheDir: string,
  name: string,
  program: string,
  watch: Watch,
  install: (directory: string) => Promise<void>,
): Promise<string> {
  const installed = path.join(cacheDir, name)
  const executable = path.join(installed, program)
  if (await isExecutable(executable)) return executable
  await mkdir(cacheDir, { recursive: true })
  return withCacheLock(path.join(cacheDir, `${name}.lock`), watch, async () => {
    if (await isExecutable(executable)) return executable
    const draft = await mkdtemp(path.join(cacheDir, `${name}.draft-`))
    try {
      await install(draft)
      await rm(installed, { recursive: true, force: true })
      await rename(draft, installed)
    } finally {
      await rm(draft, { recursive: true, force: true })
    }
    return executable
  })
}
