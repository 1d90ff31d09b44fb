import { checkpointIn } from '../log/checkpoint.ts'
import { LogError } from '../log/log-error.ts'
import { leafHash } from '../log/rfc6962.ts'
import type { LogSource } from '../monitor/log-source.ts'
import { MonitorError } from '../monitor/monitor-error.ts'
import { readCheckpoint, readEntries } from '../monitor/read-entries.ts'
import { openTreeEdge } from '../monitor/tree-edge.ts'

/** The roots of one list of entries at several sizes: heads that agree with them all are heads of one log. */
export interface LogRoots {
  /** Entry 0; null where the log serves none. */
  readonly genesis: Uint8Array | null
  /** 32 bytes; null where the entries end before, or no root was asked for at that size. */
  rootAt(size: number): Uint8Array | null
  /** Why the entries end before the largest size that was asked for; null where they don't. */
  readonly gap: string | null
}

/**
 * Reads the entries that are served and computes the roots over the first `sizes` of them. The log's own signed head
 * has no say in it. Throws what the source throws, MonitorError `checkpoint_missing`, NoteError, LogError.
 */
export async function readLogRoots(
  source: LogSource,
  sizes: Iterable<number>,
  onProgress: (done: number, of: number) => void = () => {},
): Promise<LogRoots> {
  const wanted = new Set(sizes)
  const { size } = checkpointIn(await readCheckpoint(source))
  const to = Math.max(1, ...wanted) // entry 0 is asked for in any case
  const roots = new Map<number, Uint8Array>()
  const edge = openTreeEdge()
  let genesis: Uint8Array | null = null
  let gap: string | null = to > size ? `its head has ${size} entries` : null
  try {
    for await (const entry of readEntries(source, { from: 0, to: Math.min(to, size), size }, onProgress)) {
      genesis ??= new Uint8Array(entry)
      edge.append(leafHash(entry))
      if (wanted.has(edge.size())) roots.set(edge.size(), edge.root())
    }
  } catch (error) {
    if (!isUnserved(error)) throw error
    gap = error.message
  }
  return { genesis, gap, rootAt: (at) => roots.get(at) ?? null }
}

/** The log's own failing, which the audit reports; an unreachable host is not. */
function isUnserved(error: unknown): error is Error {
  return error instanceof LogError || (error instanceof MonitorError && error.code === 'entries_missing')
}
