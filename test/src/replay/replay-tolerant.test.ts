import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { replay } from '../../../src/replay/replay.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import { epochEntry } from '../coordinator/epoch-entry.ts'
import { idOf, problemIn, worksOf } from '../coordinator/peer.ts'
import { openSite } from '../coordinator/site.ts'
import { TINY_PROFILE } from '../coordinator/tiny-market.ts'
import { offBy, TOLERANT_MARKET } from '../coordinator/tolerant-market.ts'
import { changeVerdicts } from './changed-log.ts'
import { recordLog } from './recorded-log.ts'

let node: RegtestNode
let log: ReplaySource
let outcomes: Record<'honest' | 'cheat', (string | undefined)[]>
beforeAll(async () => {
  node = await startBitcoind()
  await using site = await openSite(node, { subnets: [TOLERANT_MARKET] })
  const [honest, cheat, operator] = await site.begin(2)
  if (honest === undefined || cheat === undefined || operator === undefined) throw new Error('three peers')

  // On another device: no worker that a subnet with `exact` would take.
  const jobs = await honest.lease()
  const compute = offBy(9e-5)
  const works = jobs.map(({ job, inputs }, index) =>
    honest.answerWith(
      job,
      { index, profile: { ...TINY_PROFILE, batch: 1, device: 'NVIDIA H200', provider: 'cuda' } },
      compute(inputs),
    ),
  )
  await honest.call('/v1/results', { results: works })
  const halves = jobs.map(({ job, inputs }, index) =>
    honest.answerWith(
      job,
      { index, profile: { ...TINY_PROFILE, batch: 1, precision: 'fp16' } },
      compute(inputs),
    ),
  )
  const drafted = honest.draft(halves.map(({ receipt }) => receipt))
  expect(await problemIn(await honest.post('/v1/submissions', encodeCbor(drafted)))).toMatchObject({
    code: 'profile_mismatch',
    detail: expect.stringContaining('precision'),
  })
  await honest.submit(honest.draft(works.map(({ receipt }) => receipt)))

  const cheated = await worksOf(cheat.work(offBy(2e-4)))
  await site.mineAudited([honest, cheat, operator], 'the settlement', () =>
    site.status().epochs.some(({ settled }) => settled),
  )
  const { reasons } = epochEntry(site, 0)
  outcomes = {
    honest: works.map((one) => reasons.get(idOf(one))),
    cheat: cheated.map((one) => reasons.get(idOf(one))),
  }
  log = await recordLog(site, node)
})
afterAll(() => node.stop())

describe('a subnet with bounds', () => {
  test('passes work of another device within them and fails what lies outside', () => {
    expect(new Set(outcomes.honest)).toEqual(new Set(['earned']))
    expect(new Set(outcomes.cheat)).toEqual(new Set(['fail']))
  })

  test('is judged again from the public log', async () => {
    expect(await replay(log)).toMatchObject({ ok: true, first: null })
  })

  test.each([
    ['pass', 'fail'],
    ['fail', 'pass'],
  ] as const)('whose %s was made a %s is named', async (said, changed) => {
    const { source, entry } = await changeVerdicts(
      log,
      (list) => list.map((one) => ({ ...one, verdict: changed })),
      said,
    )
    const { first } = await replay(source)
    expect(first).toMatchObject({ rule: 'verdicts', code: 'verdict_wrong', entry })
  })
})
