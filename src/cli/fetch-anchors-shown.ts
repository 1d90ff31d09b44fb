import type { AnchorsFile } from '../audit/anchors-file.ts'
import { fetchAnchors } from '../audit/fetch-anchors.ts'
import { openProgressLine } from './progress-line.ts'

/** A coordinator's anchors: those of a few years come in hundreds of pages. Throws as fetchAnchors. */
export function fetchAnchorsShown(url: string): Promise<AnchorsFile> {
  const progress = openProgressLine('Anchors')
  return fetchAnchors(url, progress.show).finally(progress.close)
}
