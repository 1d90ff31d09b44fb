import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncFolder } from '../blobs/blob-folder.ts'

/** Writes aside, syncs and renames: readers see the old file or the new one, a crash leaves one of them. */
export async function writeAtomically(file: string, text: string | Uint8Array): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString('hex')}.tmp`
  try {
    {
      await using handle = await open(aside, 'wx')
      await handle.writeFile(text)
      await handle.sync()
    }
    await rename(aside, file)
  } finally {
    await rm(aside, { force: true })
  }
  syncFolder(dirname(file))
}
