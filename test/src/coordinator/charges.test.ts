import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { listSubnets } from '../../../src/coordinator/list-subnets.ts'
import { maturedAccount, requesterAccount, unmaturedAccount } from '../../../src/ledger/accounts.ts'
import { MAX_TRANSFERS_PER_POST } from '../../../src/ledger/ledger.ts'
import { replay } from '../../../src/replay/replay.ts'
import { recordLog } from '../replay/recorded-log.ts'
import { ask, leaseOne, openRequester, type PayingRequester } from './paying-requester.ts'
import type { Peer } from './peer.ts'
import { openSite, type Site } from './site.ts'
import { cheatedOutput, tinyMarket } from './tiny-market.ts'

/** 400 units at 1,000 msat: coins below that are dust. */
const CHARGE_MSAT = 400_000n
const MARKET = tinyMarket({
  dataset: null,
  price: 10n ** 18n,
  operatorBasisPoints: 1_000,
  models: tinyMarket().models.map((model) => ({ ...model, unitsPerItem: 400 })),
})
/** Covers two requests, and not a third. */
const DEPOSIT_SATS = 1_000n

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

async function begin(site: Site, sats: bigint, workers = 1): Promise<[PayingRequester, ...Peer[]]> {
  const requester = await openRequester(site, 'acme')
  await node.fund(requester.depositAddress, sats)
  return [requester, ...(await site.begin(workers))]
}

async function submit(worker: Peer, compute?: (inputs: Uint8Array) => Uint8Array): Promise<void> {
  const works = await worker.hold([await leaseOne(worker)], compute)
  await worker.submit(worker.draft(works.map(({ receipt }) => receipt)))
}

/** Everything that is owed to anybody is in the treasury, less what miners got: sums that no transfer can change. */
function owedMsat(site: Site): bigint {
  const { ledger } = site.coordinator().books
  const assets = new Set(['treasury', 'fees'])
  return ledger
    .accounts()
    .reduce((sum, { name, postedMsat }) => (assets.has(name) ? sum - postedMsat : sum + postedMsat), 0n)
}

test('a request without cover is refused before it runs, and requests at the same time can not overdraw', async () => {
  await using site = await openSite(node, { subnets: [MARKET] })
  const [requester] = await begin(site, DEPOSIT_SATS)
  const [listed] = listSubnets(site.coordinator(), site.house())
  expect(listed).toMatchObject({ priceMsat: MARKET.price, nextPriceMsat: MARKET.price })
  expect(await requester.balances()).toEqual({
    balanceMsat: 1_000_000n,
    reservedMsat: 0n,
    withdrawingMsat: 0n,
    availableMsat: 1_000_000n,
  })
  const unpaid = await ask(site, 1)
  expect([unpaid.status, Object(await unpaid.json()).code]).toEqual([401, 'authorization_missing'])
  const forged = await ask(site, 1, { authorization: `Bearer ${'00'.repeat(32)}` })
  expect([forged.status, Object(await forged.json()).code]).toEqual([401, 'api_key_unknown'])

  const asked = [requester.ask(1), requester.ask(2), requester.ask(3)]
  const first = await Promise.race(asked)
  expect(first.status).toBe(402)
  expect(await first.json()).toMatchObject({
    code: 'insufficient_funds',
    neededMsat: '400000',
    availableMsat: '200000',
  })
  expect(site.house().desks.requests.length).toBe(2)
  expect(await requester.balances()).toMatchObject({
    reservedMsat: 2n * CHARGE_MSAT,
    availableMsat: 200_000n,
  })
  site.house().desks.requests.close()
  await Promise.all(asked)
  expect(await requester.balances()).toMatchObject({ reservedMsat: 0n, availableMsat: 1_000_000n })
})

test('what passes is paid to its worker, what fails is not charged, and nothing is reserved for ever', async () => {
  await using site = await openSite(node, { subnets: [MARKET] })
  const [requester, honest, cheat, operator] = await begin(site, 10_000n, 2)
  if (honest === undefined || cheat === undefined || operator === undefined) throw new Error('three peers')
  const { ledger } = site.coordinator().books
  const good = requester.ask(1)
  await submit(honest)
  const bad = requester.ask(2)
  await submit(cheat, cheatedOutput)
  const lost = requester.ask(3)
  // Answered and never submitted: its requester was served, and the worker gives up its fee.
  await cheat.hold([await leaseOne(cheat)])
  for (const response of [await good, await bad, await lost]) expect(response.status).toBe(200)
  expect(await requester.balances()).toMatchObject({
    balanceMsat: 10_000_000n,
    reservedMsat: 3n * CHARGE_MSAT,
  })
  expect(ledger.balance('escrow')).toMatchObject({ postedMsat: 0n })

  const settled = () => site.status().epochs.filter((epoch) => epoch.settled).length
  await site.mineAudited([honest, operator], 'the settlement', () => settled() > 0)
  expect(ledger.balance(unmaturedAccount(honest.hex)).postedMsat).toBe(360_000n)
  expect(ledger.balance(unmaturedAccount(cheat.hex)).postedMsat).toBe(0n)
  expect(ledger.balance(requesterAccount('acme'))).toMatchObject({
    postedMsat: 9_600_000n,
    pendingMsat: CHARGE_MSAT,
  })
  await site.mineAudited([honest, operator], 'the next settlement', () => settled() > 1)
  expect(ledger.balance(requesterAccount('acme'))).toMatchObject({ postedMsat: 9_600_000n, pendingMsat: 0n })
  expect(ledger.balance('escrow')).toMatchObject({ postedMsat: 0n, pendingMsat: 0n })
  expect(owedMsat(site)).toBe(0n)
  expect(site.troubles).toEqual([])
})

test('what is never submitted is given back in an epoch in which nothing else happened, too', async () => {
  await using site = await openSite(node, { subnets: [MARKET], flags: { 'subsidy.initialMsat': '0' } })
  const [requester, worker] = await begin(site, DEPOSIT_SATS)
  if (worker === undefined) throw new Error('no worker')
  const asked = requester.ask(1)
  await worker.hold([await leaseOne(worker)])
  expect((await asked).status).toBe(200)
  expect(await requester.balances()).toMatchObject({ reservedMsat: CHARGE_MSAT })
  const isSettled = (epoch: number) => site.status().epochs.some((one) => one.number === epoch && one.settled)
  await site.mineUntil('the settlement of the next epoch', () => isSettled(1))
  expect(await requester.balances()).toMatchObject({ reservedMsat: 0n, availableMsat: 1_000_000n })
})

test.each([
  ['right', undefined],
  ['wrong', cheatedOutput],
] as const)(
  'a restart between lease and answer gives the money back: one that comes later, %s, is not paid',
  async (_, compute) => {
    await using site = await openSite(node, { subnets: [MARKET] })
    const [requester, worker, operator] = await begin(site, DEPOSIT_SATS)
    if (worker === undefined || operator === undefined) throw new Error('two peers')
    const asked = requester.ask(1).catch(() => null)
    const job = await leaseOne(worker)
    expect(await requester.balances()).toMatchObject({ reservedMsat: CHARGE_MSAT })
    await site.reopen()
    await asked
    expect(await requester.balances()).toMatchObject({ reservedMsat: 0n, availableMsat: 1_000_000n })
    const works = await worker.hold([job], compute)
    await worker.submit(worker.draft(works.map(({ receipt }) => receipt)))
    await site.mineAudited([operator], 'the settlement', () =>
      site.status().epochs.some((one) => one.settled),
    )
    expect(await requester.balances()).toMatchObject({ balanceMsat: 1_000_000n, availableMsat: 1_000_000n })
    expect(site.coordinator().books.ledger.balance(unmaturedAccount(worker.hex)).postedMsat).toBe(0n)
  },
)

test('what a quarantined requester asked waits for the ledger to be rebuilt; others get refunds and pay, and their fees mature', async () => {
  await using site = await openSite(node, { subnets: [MARKET] })
  const other = await openRequester(site, 'other')
  await node.fund(other.depositAddress, 10_000n)
  const [requester, honest, cheat, operator] = await begin(site, 10_000n, 2)
  if (honest === undefined || cheat === undefined || operator === undefined) throw new Error('three peers')
  const { db, ledger } = site.coordinator().books
  for (const { ask } of [requester, other]) {
    const asked = [ask(1)]
    await submit(honest)
    asked.push(ask(2))
    await submit(cheat, cheatedOutput)
    asked.push(ask(3))
    await cheat.hold([await leaseOne(cheat)])
    for (const response of await Promise.all(asked)) expect(response.status).toBe(200)
  }
  db.prepare('UPDATE ledger_account SET quarantined = 1 WHERE name = ?').run(requesterAccount('acme'))

  const settled = () => site.status().epochs.filter((epoch) => epoch.settled).length
  await site.mineAudited([honest, operator], 'two settlements', () => settled() > 1)
  expect(await requester.balances()).toMatchObject({
    balanceMsat: 10_000_000n,
    reservedMsat: 3n * CHARGE_MSAT,
  })
  expect(await other.balances()).toMatchObject({ balanceMsat: 9_600_000n, reservedMsat: 0n })
  await site.mineAudited([honest, operator], 'the maturing', () =>
    site.status().epochs.some(({ matured }) => matured),
  )
  expect(ledger.balance(unmaturedAccount(honest.hex)).postedMsat).toBe(0n)
  expect(ledger.balance(maturedAccount(honest.hex)).postedMsat).toBe(360_000n)
  expect(ledger.balance('escrow')).toMatchObject({ postedMsat: 0n })
  expect(site.troubles).toEqual([])
  const { charges } = site.house().desks
  expect(() => charges.release([{ job: 1_000n, requester: 'other' }], 0)).toThrow('0 of 1 charges')

  const many = Array.from({ length: MAX_TRANSFERS_PER_POST + 1 }, (_, i) => BigInt(1_000 + i))
  db.transaction(() => many.forEach((job) => void charges.reserve(job, 'other', 1n, 0)))()
  charges.release(
    many.toReversed().map((job) => ({ job, requester: 'other' })),
    0,
  )
  expect(await other.balances()).toMatchObject({ balanceMsat: 9_600_000n, reservedMsat: 0n })
  const ended = db.prepare<[], string>(
    `SELECT pending_id FROM ledger_transfer WHERE kind = 'void' AND entry_index = 0 ORDER BY sequence`,
  )
  expect(ended.pluck().all()).toEqual(many.map((job) => `charge/${job}`).sort())
})

test('quarantined accounts stop neither leases nor rounds: they take no requests, and deposits and payouts are logged all the same', async () => {
  // Three budgets leave less than the schedule has for the fourth.
  const flags = { 'subsidy.initialMsat': '600000000', 'subsidy.capMsat': '6000000000' }
  await using site = await openSite(node, { subnets: [MARKET], flags })
  const other = await openRequester(site, 'other')
  await node.fund(other.depositAddress, 10_000n)
  const [requester, worker] = await begin(site, 10_000n)
  if (worker === undefined) throw new Error('no worker')
  const { db, ledger } = site.coordinator().books
  const quarantine = db.prepare('UPDATE ledger_account SET quarantined = 1 WHERE name = ?')
  quarantine.run(requesterAccount('acme'))
  const refused = await requester.ask(1)
  expect(refused.status).toBe(503)
  expect(await refused.json()).toMatchObject({
    code: 'account_quarantined',
    error: expect.stringContaining('until the operator has mended them'),
  })
  const answered = other.ask(2)
  await submit(worker)
  expect((await answered).status).toBe(200)

  const coin = await node.fund(requester.depositAddress, 10_000n)
  expect((await other.withdraw('6000000')).status).toBe(202)
  await site.mineUntil('the payment', () => site.status().payouts[0]?.state === 'broadcast')
  expect(db.prepare('SELECT sats FROM deposit WHERE txid = ?').get(coin.txid)).toEqual({ sats: 10_000n })
  expect(ledger.balance(requesterAccount('acme')).postedMsat).toBe(10_000_000n)
  const budgets = () => site.status().epochs.filter(({ budgetMsat }) => budgetMsat > 0n).length
  const booked = budgets()
  quarantine.run('treasury')
  // Logged and not posted: the log's reserve is more than the ledger's.
  await node.fund(site.coordinator().treasuryAddress, 10_000n)
  await site.mineUntil('the payout and an epoch', () => site.status().epochs.length > 3)
  expect(site.status().payouts).toMatchObject([{ state: 'settled' }])
  expect(budgets()).toBe(booked)
  // No entry is accused, but the balances that wait.
  const { first } = await replay(await recordLog(site, node))
  expect(first).toMatchObject({ rule: 'balances', code: 'balance_mismatch', entry: null })
  expect(site.troubles).toEqual([])
})

test('a restart after the answer charges it once it is submitted', async () => {
  await using site = await openSite(node, { subnets: [MARKET] })
  const [requester, worker, operator] = await begin(site, DEPOSIT_SATS)
  if (worker === undefined || operator === undefined) throw new Error('two peers')
  const asked = requester.ask(1)
  const works = await worker.hold([await leaseOne(worker)])
  expect((await asked).status).toBe(200)
  await site.reopen()
  expect(await requester.balances()).toMatchObject({ reservedMsat: CHARGE_MSAT })
  await worker.submit(worker.draft(works.map(({ receipt }) => receipt)))
  await site.mineAudited([operator], 'the settlement', () => site.status().epochs.some((one) => one.settled))
  expect(await requester.balances()).toMatchObject({ balanceMsat: 600_000n, reservedMsat: 0n })
})

test('an account is opened once, under a name and with a refund address that can be', async () => {
  await using site = await openSite(node, { subnets: [MARKET] })
  const { refundAddress, depositAddress } = await openRequester(site, 'acme')
  const open = async (body: unknown) => {
    const response = await fetch(new URL('/v1/requesters', site.url), {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    return `${response.status} ${Object(await response.json()).code}`
  }
  const size = site.coordinator().books.log.size()
  expect(await open({ requester: 'acme', refundAddress })).toBe('409 requester_exists')
  expect(await open({ requester: 'anonymous', refundAddress })).toBe('400 requester_name_invalid')
  expect(await open({ requester: 'Acme', refundAddress })).toBe('400 requester_name_invalid')
  expect(await open({ requester: 'other', refundAddress: 'nowhere' })).toBe('400 address_invalid')
  expect(await open({ requester: 'other', refundAddress: depositAddress })).toBe('400 address_reserved')
  const { treasuryAddress } = site.coordinator()
  expect(await open({ requester: 'other', refundAddress: treasuryAddress })).toBe('400 address_reserved')
  const { ledger } = site.coordinator().books
  const owed = {
    debit: 'inherited',
    credit: 'requester/heir',
    amountMsat: 1n,
    code: 'inherited',
    entryIndex: 0,
  } as const
  expect(ledger.post([{ id: 'of-a-closed-log', ...owed }])).toEqual(['applied'])
  expect(await open({ requester: 'heir', refundAddress })).toBe('409 requester_exists')
  expect(await open('no JSON')).toBe('400 body_malformed')
  expect(await open({ requester: 'other' })).toBe('400 body_malformed')
  expect(site.coordinator().books.log.size()).toBe(size)

  const stranger = await fetch(new URL('/v1/requesters/acme', site.url))
  expect(stranger.status).toBe(401)
  const other = await openRequester(site, 'other')
  const { authorization } = other
  const prying = await fetch(new URL('/v1/requesters/acme', site.url), { headers: { authorization } })
  expect(prying.status).toBe(401)
})
