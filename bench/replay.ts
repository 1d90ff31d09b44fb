/** Replay of whole logs, one ten times as long as the other: whether time is linear, and what memory it takes. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import { writeLog } from './replay/write-log.ts'
import { type Row, rowOf } from './row.ts'

const RECEIPTS = 1_000_000
const TIMES = 10
/** Memory follows the longest epoch: all of it is settled at once. */
const RECEIPTS_PER_EPOCH = 25_600
const MAX_RATIO = 1.1
const MAX_MEBIBYTES = 512
const CHILD = fileURLToPath(new URL('./replay/replay-child.ts', import.meta.url))

const measured = z.strictObject({
  ok: z.literal(true),
  first: z.null(),
  receipts: z.int(),
  cpuSeconds: z.number(),
  peakBytes: z.int(),
})

export async function* replay(): AsyncGenerator<Row> {
  const short = await replayed(RECEIPTS / TIMES)
  const long = await replayed(RECEIPTS)
  yield rowOf({
    name: `replay of ${RECEIPTS} receipts, processor time, beside ${TIMES} times that of a log a tenth as long`,
    value: long.seconds,
    unit: 's',
    baseline: short.seconds * TIMES,
    bar: { on: 'ratio', is: '≤', bound: MAX_RATIO },
  })
  yield rowOf({
    name: `replay of ${RECEIPTS} receipts, ${RECEIPTS_PER_EPOCH} to an epoch: resident memory at most`,
    value: long.mebibytes,
    unit: 'MiB',
    bar: { on: 'value', is: '≤', bound: MAX_MEBIBYTES },
  })
}

/** Logs end with a whole epoch: seconds are for exactly `receipts`. Of the processor, which others' load changes little. */
async function replayed(receipts: number): Promise<{ seconds: number; mebibytes: number }> {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'assay-bench-'))
  await writeLog(folder.path, { receipts, receiptsPerEpoch: RECEIPTS_PER_EPOCH })
  const { stdout } = await promisify(execFile)(process.execPath, [CHILD, folder.path])
  const found = measured.parse(JSON.parse(stdout))
  assert(found.receipts >= receipts)
  return {
    seconds: (found.cpuSeconds * receipts) / found.receipts,
    mebibytes: found.peakBytes / 2 ** 20,
  }
}
