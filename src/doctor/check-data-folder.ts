import { accessSync, constants, statfsSync } from 'node:fs'
import type { Config } from '../config/config-schema.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const GIB = 1024 ** 3
/** A day of busy work with its inputs and outputs; below it somebody should know. */
const WARN_BYTES = 10 * GIB
/** SQLite's write-ahead log, a model and a few batches. */
const FAIL_BYTES = GIB

/** Whether the coordinator can write to its folder, and for how long. */
export function checkDataFolder({ dataDir }: Config): Finding[] {
  try {
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const fix = `Run \`assay init --dir ${dataDir}\`, or run this as the folder's owner.`
    return [fail('folder', `${dataDir} can't be written to: ${error.message}`, fix)]
  }
  const { bavail, bsize } = statfsSync(dataDir)
  return [ok('folder', dataDir), judgeSpace(bavail * bsize)]
}

export function judgeSpace(freeBytes: number): Finding {
  const detail = `${(freeBytes / GIB).toFixed(1)} GiB free`
  const fix = "Make room on the data folder's file system, or move dataDir to a larger one."
  if (freeBytes < FAIL_BYTES) return fail('space', detail, fix)
  return freeBytes < WARN_BYTES ? warn('space', detail, fix) : ok('space', detail)
}
