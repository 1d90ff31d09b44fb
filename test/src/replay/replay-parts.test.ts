import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sourceInFolder } from '../../../bench/replay/mirror-folder.ts'
import { writeLog } from '../../../bench/replay/write-log.ts'
import { parseAccrualHead } from '../../../src/log/accrual-table.ts'
import { parsePartNames } from '../../../src/log/parts.ts'
import type { Finding, Rule } from '../../../src/replay/findings.ts'
import { replay } from '../../../src/replay/replay.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import { changeParts, membersOf } from './changed-log.ts'
import { find } from './recorded-log.ts'

const PART_LENGTH = 64
const NOTHING = new Uint8Array(32)

let folder: string
let log: ReplaySource
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'assay-parts-'))
  await writeLog(folder, { receipts: 480, receiptsPerEpoch: 160 }, PART_LENGTH)
  log = await sourceInFolder(folder)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function lengthsOf(parts: readonly Uint8Array[]): Promise<number[]> {
  return await Promise.all(parts.map(async (part) => (await membersOf(log, [part])).length))
}

test('a log whose epochs have lists of several parts follows from its public data', async () => {
  const { entry } = await find(log, 'epoch')
  const { receipts, fees } = parseAccrualHead((await log.blob(entry.accruals)) ?? NOTHING)
  expect(await lengthsOf(parsePartNames((await log.blob(entry.openings)) ?? NOTHING))).toEqual([64, 64, 32])
  expect(await lengthsOf(receipts)).toEqual([64, 64, 32])
  expect(await lengthsOf(fees)).toEqual([64, 16])
  expect(await replay(log, PART_LENGTH)).toMatchObject({ ok: true, first: null, sample: { receipts: 480 } })
})

test('the same members in parts of another length are another log', async () => {
  const { index } = await find(log, 'epoch')
  const { rules } = await replay(log, PART_LENGTH + 1)
  for (const [rule, code] of [
    ['openings', 'openings_incomplete'],
    ['epochs', 'accrual_mismatch'],
  ])
    expect(rules.find(({ name }) => name === rule)?.first).toMatchObject({ code, entry: index })
})

type Put = (members: unknown[]) => Uint8Array

const CHANGES: [what: string, code: string, change: (parts: Uint8Array[], put: Put) => Uint8Array[]][] = [
  ['in another order', 'openings_incomplete', (parts) => parts.toReversed()],
  ['without the last part', 'openings_incomplete', (parts) => parts.slice(0, -1)],
  ['without the first part', 'openings_incomplete', (parts) => parts.slice(1)],
  ['with a part twice', 'openings_incomplete', (parts) => [...parts, ...parts.slice(-1)]],
  ['with a part of nothing', 'openings_incomplete', (parts, put) => [...parts, put([])]],
  ['with a part of something else', 'cbor_malformed', (parts, put) => parts.with(1, put([7]))],
]

/** The first finding of one rule: what can't be opened has consequences for other entries too. */
async function firstOf(source: ReplaySource, rule: Rule): Promise<Finding | null | undefined> {
  const { rules } = await replay(source, PART_LENGTH)
  return rules.find(({ name }) => name === rule)?.first
}

test.each(CHANGES)('openings %s are named: %s', async (_, code, change) => {
  const { source, entry } = await changeParts(log, 'openings', change)
  expect(await firstOf(source, 'openings')).toMatchObject({ code, entry })
})

test.each(
  (['receipts', 'fees'] as const).flatMap((list) =>
    CHANGES.map(([what, , change]) => [list, what, change] as const),
  ),
)('%s of the accruals %s are named', async (list, _, change) => {
  const { source, entry } = await changeParts(log, list, change)
  const first = await firstOf(source, 'epochs')
  expect(first).toMatchObject({ code: 'accrual_mismatch', entry })
  expect(first?.detail).toContain(list)
})

test.each([
  ['openings', 'openings'],
  ['receipts', 'epochs'],
] as const)('a part of the %s that is withheld is named', async (list, rule) => {
  const { source, entry } = await changeParts(log, list, (parts) => parts.with(1, NOTHING))
  const blob = async (name: Uint8Array) => (name.some((byte) => byte > 0) ? source.blob(name) : null)
  expect(await firstOf({ ...source, blob }, rule)).toMatchObject({ code: 'blob_missing', entry })
})
