import { join } from 'node:path'
import { openSmallBlobs } from '../../../src/blobs/small-blobs.ts'
import type { Site } from './site.ts'

/** As after a power cut that has taken these small blobs, and left the rows of the database. */
export async function cutPower(site: Site, lost: readonly string[]): Promise<void> {
  await site.close()
  const blobs = openSmallBlobs(join(site.config.dataDir, 'blobs', 'small.sqlite'))
  blobs.remove(lost)
  blobs.close()
  await site.reopen()
}
