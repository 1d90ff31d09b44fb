import { expect, test } from 'vitest'
import { hex } from '../../../compute/work/hex.ts'
import { parseEntry } from '../../../src/log/entry.ts'
import { checkAssignment } from '../../../src/replay/check-assignment.ts'
import { openFindings } from '../../../src/replay/findings.ts'
import { openReplayState } from '../../../src/replay/replay-state.ts'
import vectors from '../../vectors/entry.json' with { type: 'json' }

const ENTRY = 7
const NAME = new Uint8Array(32)

/** The codes found at a job of the open dataset that says it is of so many items, and that nobody was assigned. */
async function findingsAt(items: number, item: number | null): Promise<string[]> {
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
    breakOf: null,
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
  await checkAssignment(openReplayState(source, findings, genesis), [{ receipt: { job }, item, input: NAME }])
  return codes
}

test('a job of the open dataset is of one item: what it counts as more is found', async () => {
  expect(await findingsAt(1, 0)).toEqual([`${ENTRY}: item_out_of_turn`])
  expect(await findingsAt(1_000, 0)).toEqual([`${ENTRY}: item_out_of_turn`, `${ENTRY}: item_count`])
})

test('a request may be of many', async () => {
  expect(await findingsAt(1_000, null)).toEqual([])
})
