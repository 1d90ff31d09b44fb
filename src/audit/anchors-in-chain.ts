import type { AnchorsFile } from './anchors-file.ts'

/**
 * The anchors without the newest ones that a chain of blocks need not have: above its tip, or not final there, for its reader's
 * node may be behind or on a stale tip, and its file of headers older than they are.
 */
export function anchorsInChain(
  { genesis, anchors }: AnchorsFile,
  { tipHeight, finalDepth }: { tipHeight: number; finalDepth: number },
  headerAt: (height: number) => Uint8Array | null,
): AnchorsFile {
  const end = anchors.findIndex(({ height, header }) => {
    const own = height + finalDepth - 1 > tipHeight ? headerAt(height) : header
    return own === null || Buffer.compare(own, header) !== 0
  })
  return { genesis, anchors: end === -1 ? anchors : anchors.slice(0, end) }
}
