import { expect, test } from 'vitest'
import { hex } from '../../../compute/work/hex.ts'
import { parseEntry } from '../../../src/log/entry.ts'
import { checkSampling } from '../../../src/replay/check-sampling.ts'
import { openFindings } from '../../../src/replay/findings.ts'
import { openReplayState, type ReplayedReceipt } from '../../../src/replay/replay-state.ts'
import vectors from '../../vectors/entry.json' with { type: 'json' }
import { tinyDefinition } from '../coordinator/tiny-market.ts'

const SUBMITTED = 9
const AUDITED = 20
const SETTLED = 30
const NAME = new Uint8Array(32)

/** What is found at a receipt that was audited or not, by a rate that leaves no beacon a choice: everything, or nothing. */
async function findingsAt(rate: 0 | 1, isAudited: boolean): Promise<unknown[]> {
  const vector = vectors.entries.find(({ entry }) => entry.kind === 'genesis')
  const genesis = parseEntry(Buffer.from(vector?.bytes ?? '', 'hex'))
  if (genesis.kind !== 'genesis') throw new Error('no genesis')
  const findings = openFindings()
  const source = {
    checkpoint: '',
    verifierKey: null,
    entries: async function* () {},
    blob: async () => null,
    anchors: [{ height: 1, size: AUDITED + 1 }],
    followAnchors: null,
    chain: { tipHeight: 1_000_000, blockHash: async () => NAME, node: null },
    claims: null,
    predecessor: null,
  }
  const subnet = { ...tinyDefinition(), auditFloor: { numerator: 0, denominator: 1 } }
  const [model] = subnet.models
  if (model === undefined) throw new Error('no model')
  const receipt: ReplayedReceipt = {
    hex: hex(NAME),
    position: 0,
    job: {
      hex: hex(NAME),
      entry: 1,
      worker: 'somebody',
      epoch: 0,
      leasedMs: 0,
      subnet: subnet.name,
      model: NAME,
      input: '',
      origin: '',
      items: 1,
      units: 1n,
      isSubmitted: true,
      isRefunded: false,
    },
    // Who has nothing to lose is audited always; a reward of nothing, with something to lose, never.
    submission: {
      entry: SUBMITTED,
      id: NAME,
      worker: NAME,
      unmaturedMsat: rate === 1 ? 0n : 1n,
      receipts: [],
    },
    output: '',
    market: { subnet, model },
    rewardMsat: 0n,
    feeMsat: 0n,
    rounds: isAudited
      ? [
          {
            auditor: 'another',
            commitment: null,
            entry: AUDITED,
            verdict: 'pass',
            outputs: null,
            isSilent: false,
          },
        ]
      : [],
    fate: isAudited ? { verdict: 'pass', entry: AUDITED } : { verdict: null, entry: 0 },
    outputDigest: null,
  }
  const opened = { receipt, item: 0, known: null, requester: null, answeredMs: 0, input: NAME }
  await checkSampling(openReplayState(source, findings, genesis), 0, SETTLED, [opened])
  return findings
    .results()
    .flatMap(({ first }) => (first === null ? [] : [[first.rule, first.code, first.entry]]))
}

test.each([
  ['was audited, as the beacon asked', 1, true, []],
  ['was not, as it did not ask', 0, false, []],
  ['was not, though it asked', 1, false, [['sampling', 'audit_missed', SETTLED]]],
  ['was audited, though it did not ask', 0, true, [['sampling', 'audit_not_drawn', AUDITED]]],
] as const)('of a receipt that %s, that is found which is wrong', async (_what, rate, isAudited, found) => {
  expect(await findingsAt(rate, isAudited)).toEqual(found)
})
