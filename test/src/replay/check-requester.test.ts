import { expect, test } from 'vitest'
import { freshAddress } from '../../../src/demo/site.ts'
import { parseEntry } from '../../../src/log/entry.ts'
import { checkRequester } from '../../../src/replay/check-requester.ts'
import { openFindings } from '../../../src/replay/findings.ts'
import { openReplayState } from '../../../src/replay/replay-state.ts'
import vectors from '../../vectors/entry.json' with { type: 'json' }

function entryOf(kind: string) {
  const vector = vectors.entries.find(({ entry }) => entry.kind === kind)
  return parseEntry(Buffer.from(vector?.bytes ?? '', 'hex'))
}

test.each([
  ['nothing is opened', 0n, undefined],
  ['something is nobody else’s', 1n, 'requester_repeated'],
])('an account of a name that a closed log owes %s', (_, owedMsat, code) => {
  const [genesis, entry] = [entryOf('genesis'), entryOf('requester')]
  if (genesis.kind !== 'genesis' || entry.kind !== 'requester') throw new Error('no such entry')
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
  const findings = openFindings()
  const state = openReplayState(source, findings, genesis)
  state.balances.move('inherited', `requester/${entry.requester}`, owedMsat)
  checkRequester(state, { ...entry, address: freshAddress() }, 1)
  expect(findings.results().find(({ name }) => name === 'requesters')?.first?.code).toBe(code)
})
