import { checkpointIn } from '../log/checkpoint.ts'
import { LogError } from '../log/log-error.ts'
import { NoteError } from '../log/note-error.ts'
import type { AnchorsFile } from './anchors-file.ts'

/** The sizes at which the log's roots are asked for: of every head that can be read; signatures are checked later. */
export function anchoredSizes({ anchors }: AnchorsFile): number[] {
  return anchors.flatMap(({ checkpoint }) => {
    try {
      return [checkpointIn(checkpoint).size]
    } catch (error) {
      if (error instanceof NoteError || error instanceof LogError) return []
      throw error
    }
  })
}
