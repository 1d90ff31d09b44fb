import { expect, test } from 'vitest'
import { encodeEntry } from '../../../src/log/entry.ts'
import { openReplaySource } from '../../../src/replay/open-replay-source.ts'
import { entriesOf, GENESIS_FIELDS, memoryLog } from '../monitor/memory-log.ts'

test('a source tells of each of its entries as a replay takes the next', async () => {
  const told: [number, number][] = []
  const entries = entriesOf(5)
  const source = await openReplaySource({
    log: memoryLog(entries),
    anchors: { genesis: encodeEntry(GENESIS_FIELDS), anchors: [] },
    headerAt: () => null,
    claims: null,
    blob: async () => null,
    chain: { tipHeight: 0, blockHash: async () => null, node: null },
    verifierKey: null,
    predecessor: null,
    onProgress: (...progress) => told.push(progress),
  })
  let read = 0
  for await (const _ of source.entries()) expect(told).toHaveLength(read++)
  expect(told).toEqual(entries.map((_, at) => [at + 1, entries.length]))
})
