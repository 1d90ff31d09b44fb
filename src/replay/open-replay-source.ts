import type { AnchorsFile } from '../audit/anchors-file.ts'
import { anchorsInChain } from '../audit/anchors-in-chain.ts'
import { checkAnchorChain, readGenesis } from '../audit/check-anchor-chain.ts'
import { checkpointIn } from '../log/checkpoint.ts'
import type { LogSource } from '../monitor/log-source.ts'
import { readCheckpoint, readEntries } from '../monitor/read-entries.ts'
import type { ReplaySource } from './replay-source.ts'

/**
 * A log as it stands now, at an address or in a folder. Claims must have been read before: the log is at least as long as
 * the one that they speak of. Throws what `log` throws, MonitorError `checkpoint_missing`, NoteError, LogError, EntryError.
 */
export async function openReplaySource({
  log,
  anchors,
  headerAt,
  onProgress,
  ...rest
}: Omit<ReplaySource, 'checkpoint' | 'entries' | 'anchors' | 'followAnchors'> & {
  readonly log: LogSource
  readonly anchors: AnchorsFile
  /** Of the chain that the reader brings, at the anchors' heights. */
  readonly headerAt: (height: number) => Uint8Array | null
  /** Entries that are checked. */
  readonly onProgress: (done: number, of: number) => void
}): Promise<ReplaySource> {
  const checkpoint = await readCheckpoint(log)
  const { size } = checkpointIn(checkpoint)
  const { tipHeight } = rest.chain
  const { finalDepth } = readGenesis(anchors).epoch
  const held = anchorsInChain(anchors, { tipHeight, finalDepth }, headerAt)
  return {
    ...rest,
    checkpoint,
    anchors: anchors.anchors.map(({ height, checkpoint: note }) => ({
      height,
      size: checkpointIn(note).size,
    })),
    followAnchors: (roots) => checkAnchorChain(held, { headerAt, log: roots }),
    entries: () => readEntries(log, { from: 0, to: size, size }, onProgress),
  }
}
