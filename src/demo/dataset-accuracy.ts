import { parseOriginRecord } from '../../compute/work/job.ts'
import { parseTensorBundle } from '../../compute/work/tensor-bundle.ts'
import type { PublicLog } from '../client/read-public-log.ts'
import { parseOpenings } from '../log/opening.ts'
import { parsePartNames } from '../log/parts.ts'
import { readBlob } from '../monitor/read-blob.ts'

/** How many rows of the open dataset were answered right, read as a researcher would: from log and blobs alone. */
export async function datasetAnswers(
  url: string,
  { entries }: PublicLog,
  labels: readonly number[],
): Promise<{ answered: number; right: number }> {
  let answered = 0
  let right = 0
  for (const entry of entries) {
    if (entry.kind !== 'epoch') continue
    for (const part of parsePartNames(await readBlob(url, entry.openings))) {
      for (const { origin, output } of parseOpenings(await readBlob(url, part))) {
        const record = parseOriginRecord(origin)
        if (record.kind !== 'dataset') continue
        answered += 1
        if (digitOf(await readBlob(url, output)) === labels[record.item]) right += 1
      }
    }
  }
  return { answered, right }
}

function digitOf(bundle: Uint8Array): number {
  const [logits] = parseTensorBundle(bundle)
  if (logits === undefined) return -1
  const values = new Float32Array(Uint8Array.from(logits.data).buffer)
  return values.indexOf(Math.max(...values))
}
