import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodeCbor } from '../../../compute/work/canonical-cbor.ts'
import { hex } from '../../../compute/work/hex.ts'
import { sha256 } from '../../../compute/work/tagged-hash.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { leaseOne, openRequester } from './paying-requester.ts'
import { idOf, type LeasedJob, problemIn } from './peer.ts'
import { cutPower } from './power-cut.ts'
import { openSite } from './site.ts'
import { tinyMarket } from './tiny-market.ts'

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

const CHARGE_MSAT = 400_000n
const MARKET = tinyMarket({
  dataset: null,
  price: 10n ** 18n,
  models: tinyMarket().models.map((model) => ({ ...model, unitsPerItem: 400 })),
})

test('an answer whose input a power cut took is refused, the rest of its batch is not, and its price comes back', async () => {
  await using site = await openSite(node, { subnets: [MARKET] })
  const requester = await openRequester(site, 'acme')
  await node.fund(requester.depositAddress, 10_000n)
  const [worker, operator] = await site.begin(1)
  if (worker === undefined || operator === undefined) throw new Error('two peers')
  const lease = async (value: number) => ({ asked: requester.ask(value), job: await leaseOne(worker) })
  const [kept, lost] = [await lease(1), await lease(2)]
  const works = await worker.hold([kept.job, lost.job])
  for (const { asked } of [kept, lost]) expect((await asked).status).toBe(200)
  const leased = await lease(3)
  const isGone = leased.asked.then(
    ({ ok }) => !ok,
    () => true,
  )
  expect(await requester.balances()).toMatchObject({ reservedMsat: 3n * CHARGE_MSAT })

  await cutPower(site, [lost.job, leased.job].map(inputOf))
  expect(await isGone).toBe(true)
  expect(await requester.balances()).toMatchObject({ reservedMsat: 2n * CHARGE_MSAT })
  const refusal = (receipt: string) => ({ accepted: 0, refused: [{ receipt, code: 'job_expired' }] })
  const late = worker.answer(leased.job, 0)
  expect(await worker.call('/v1/results', { results: [late] })).toMatchObject(refusal(idOf(late)))

  const [first, second] = works
  if (first === undefined || second === undefined) throw new Error('two answers')
  const both = worker.draft(works.map(({ receipt }) => receipt))
  expect(await problemIn(await worker.post('/v1/submissions', encodeCbor(both)))).toMatchObject({
    code: 'outputs_missing',
    receipts: [idOf(second)],
  })
  expect(await worker.call('/v1/results', { results: [second] })).toMatchObject(refusal(idOf(second)))
  await worker.submit(worker.draft([first.receipt]))

  const settled = () => site.status().epochs.filter((epoch) => epoch.settled).length
  await site.mineAudited([worker, operator], 'the next settlement', () => settled() > 1)
  expect(await requester.balances()).toMatchObject({
    balanceMsat: 10_000_000n - CHARGE_MSAT,
    reservedMsat: 0n,
  })
  expect(site.troubles).toEqual([])
})

function inputOf({ inputs }: LeasedJob): string {
  return hex(sha256(inputs))
}
