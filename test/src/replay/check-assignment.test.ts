import { describe, expect, test } from 'vitest'
import { hex } from '../../../compute/work/hex.ts'
import { parseEntry } from '../../../src/log/entry.ts'
import { checkAssignment } from '../../../src/replay/check-assignment.ts'
import { openFindings } from '../../../src/replay/findings.ts'
import { openReplayState } from '../../../src/replay/replay-state.ts'
import type { SubnetDefinition } from '../../../src/subnet/definition.ts'
import vectors from '../../vectors/entry.json' with { type: 'json' }
import { tinyDefinition } from '../coordinator/tiny-market.ts'

const ENTRY = 7
const NAME = new Uint8Array(32)

/** The codes found at a job of the open dataset that says it is of so many items, and that nobody was assigned. */
async function findingsAt(
  items: number,
  item: number | null,
  definitions: readonly SubnetDefinition[] = [],
): Promise<string[]> {
  const vector = vectors.entries.find(({ entry }) => entry.kind === 'genesis')
  const genesis = parseEntry(Buffer.from(vector?.bytes ?? '', 'hex'))
  if (genesis.kind !== 'genesis') throw new Error('no genesis')
  const codes: string[] = []
  const findings = {
    ...openFindings(),
    at: (_rule: string, entry: number | null) => (ok: boolean, code: string) => {
      if (!ok) codes.push(`${entry}: ${code}`)
      return ok
    },
  }
  const source = {
    checkpoint: '',
    verifierKey: null,
    entries: async function* () {},
    blob: async () => null,
    anchors: [],
    followAnchors: null,
    chain: { tipHeight: 0, blockHash: async () => null, node: null },
    claims: null,
    predecessor: null,
  }
  const job = {
    hex: hex(NAME),
    entry: ENTRY,
    worker: 'nobody',
    epoch: 0,
    subnet: 'digits',
    model: NAME,
    input: hex(NAME),
    origin: hex(NAME),
    items,
    units: BigInt(items),
    leasedMs: 0,
    isSubmitted: true,
    isRefunded: false,
  }
  const state = openReplayState(source, findings, genesis)
  for (const definition of definitions) state.markets.add(definition)
  await checkAssignment(state, [{ receipt: { job }, item, input: NAME }])
  return codes
}

test('a job of the open dataset is of one item: what it counts as more is found', async () => {
  expect(await findingsAt(1, 0)).toEqual([`${ENTRY}: item_out_of_turn`])
  expect(await findingsAt(1_000, 0)).toEqual([`${ENTRY}: item_out_of_turn`, `${ENTRY}: item_count`])
})

test('a request may be of many', async () => {
  expect(await findingsAt(1_000, null)).toEqual([])
})

describe('an item is in its turn by the definition in force alone:', () => {
  const definitionOf = (perEpoch: number | null, digest = NAME): SubnetDefinition => {
    const { models, ...rest } = tinyDefinition()
    return {
      ...rest,
      name: 'digits',
      dataset: perEpoch === null ? null : { items: 100, list: NAME, perEpoch },
      models: models.map((model) => ({ ...model, digest })),
    }
  }
  const before = definitionOf(10)

  test.each([
    ['that puts up enough', [before], []],
    ['that puts up fewer than the one before', [before, definitionOf(5)], [`${ENTRY}: item_out_of_turn`]],
    ['that has another model', [before, definitionOf(10, NAME.with(0, 1))], [`${ENTRY}: item_out_of_turn`]],
    ['that has no dataset', [before, definitionOf(null)], [`${ENTRY}: item_out_of_turn`]],
  ])('one %s', async (_, definitions, found) => {
    expect(await findingsAt(1, 5, definitions)).toEqual(found)
  })
})
