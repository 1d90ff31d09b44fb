import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sourceInFolder } from '../../bench/replay/mirror-folder.ts'
import { writeLog } from '../../bench/replay/write-log.ts'
import { parseEntry } from '../../src/log/entry.ts'
import { replay } from '../../src/replay/replay.ts'
import { entriesOf, inOrder } from '../src/replay/recorded-log.ts'

test('a log that is written for benchmarks follows from its public data, samples, pays and matures', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'assay-log-'))
  await writeLog(folder.path, { receipts: 960, receiptsPerEpoch: 160 })
  const source = await sourceInFolder(folder.path)
  const report = await replay(source)
  expect(report).toMatchObject({ ok: true, first: null, sample: { receipts: 960, missed: 0 } })
  const checked = report.rules.filter((one) => one.checked > 0).map(({ name }) => name)
  expect(checked).toEqual(
    expect.arrayContaining([
      'jobs',
      'submissions',
      'verdicts',
      'openings',
      'assignment',
      'sampling',
      'maturity',
    ]),
  )
  expect(report.sample.due).toBeLessThan(960)

  const entries = await entriesOf(source)
  const last = entries.findLastIndex((bytes) => parseEntry(bytes).kind === 'epoch')
  const cut = await replay({ ...source, entries: () => inOrder(entries.slice(0, last)) })
  expect(cut.rules.find(({ name }) => name === 'overdue')).toMatchObject({
    first: { code: 'settlement_overdue' },
  })
})
