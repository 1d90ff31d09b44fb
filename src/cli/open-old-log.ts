import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAnchorsFile } from '../audit/anchors-file.ts'
import { blobsInFolder } from '../blobs/blob-copy.ts'
import { logAtUrl, logInFolder } from '../monitor/log-source.ts'
import { blobsAtUrl } from '../replay/blob-source.ts'
import type { OldLog } from '../replay/legacy.ts'
import { CliError, EXIT } from './exit-code.ts'
import { fetchAnchorsShown } from './fetch-anchors-shown.ts'

/**
 * A log at a coordinator's URL, or a mirror of it: a folder with `checkpoint`, `tile/`, `blobs/` and `anchors.bin`, as
 * `assay audit anchors --save` writes it. What it opens is closed with `held`. Throws what reading its anchors throws.
 */
export async function openOldLog(where: string, held: DisposableStack): Promise<OldLog> {
  if (/^https?:\/\//.test(where)) {
    return { log: logAtUrl(where), blob: blobsAtUrl(where), anchors: await fetchAnchorsShown(where) }
  }
  const anchors = parseAnchorsFile(readMirrored(join(where, 'anchors.bin')))
  return { log: logInFolder(where), blob: blobsInFolder(join(where, 'blobs'), held), anchors }
}

function readMirrored(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new CliError(EXIT.usage, 'file_unreadable', `${file} can't be read`, cause)
  }
}
