import type { AnchorRecord } from '../../anchor/anchor-record.ts'
import { stripWitness } from '../../anchor/anchor-transaction.ts'
import type { LogStore } from '../log/log-store.ts'
import type { AnchorEvidence, AnchorsFile } from './anchors-file.ts'

/** What a log shows of its anchors: the first `max` of those that are in the chain. */
export function anchorsOf(
  log: Pick<LogStore, 'entry' | 'checkpoint'>,
  records: readonly AnchorRecord[],
  max: number,
): AnchorsFile {
  const anchors: AnchorEvidence[] = []
  for (const { index, size, raw, height, header, branch } of records) {
    if (anchors.length === max) break
    if (raw === null || height === null || header === null || branch === null) continue
    const transaction = stripWitness(raw)
    anchors.push({ index, checkpoint: log.checkpoint(size), transaction, height, header, branch })
  }
  return { genesis: log.entry(0), anchors }
}
