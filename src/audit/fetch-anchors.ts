import { askCoordinator } from '../client/ask-coordinator.ts'
import { readBounded } from '../monitor/read-bounded.ts'
import {
  type AnchorEvidence,
  type AnchorsFile,
  MAX_ANCHORS,
  MAX_ANCHORS_FILE_BYTES,
  parseAnchorsFile,
} from './anchors-file.ts'
import { AuditError } from './audit-error.ts'

/**
 * Every anchor that a running coordinator shows, page after page; `onPage` hears how many there are so far.
 * Throws ClientError, AuditError, MonitorError.
 */
export async function fetchAnchors(
  url: string,
  onPage: (fetched: number) => void = () => undefined,
): Promise<AnchorsFile> {
  const anchors: AnchorEvidence[] = []
  for (;;) {
    const response = await askCoordinator(url, `/v1/anchors?from=${anchors.length}`)
    const page = parseAnchorsFile(await readBounded(response, MAX_ANCHORS_FILE_BYTES))
    if (page.anchors.length === 0) return { genesis: page.genesis, anchors }
    anchors.push(...page.anchors)
    if (anchors.length > MAX_ANCHORS) {
      throw new AuditError('anchors_too_many', `${url} shows more than ${MAX_ANCHORS} anchors`)
    }
    onPage(anchors.length)
  }
}
