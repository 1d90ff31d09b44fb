import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseHeader } from '../../../compute/work/submission.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { encodeEntry, parseEntry } from '../../../src/log/entry.ts'
import type { Payee } from '../../../src/log/payees.ts'
import { balancesLeft } from '../../../src/replay/balances-left.ts'
import { replay, replayLog } from '../../../src/replay/replay.ts'
import type { ReplaySource } from '../../../src/replay/replay-source.ts'
import { ORIGIN, openSite } from '../coordinator/site.ts'
import { changePayees, withBytes, without } from './changed-log.ts'
import { entriesOf, find, inOrder, liveThrough, recordLog, SAMPLED_MARKET } from './recorded-log.ts'

let node: RegtestNode
let log: ReplaySource
beforeAll(async () => {
  node = await startBitcoind()
  await using site = await openSite(node, { subnets: [SAMPLED_MARKET] })
  await liveThrough(site, node)
  log = await recordLog(site, node)
})
afterAll(() => node.stop())

test('an honest log follows from its public data, every rule of it', async () => {
  const report = await replay(log)
  expect(report).toMatchObject({ ok: true, first: null, missedAudits: [], origin: ORIGIN })
  expect(report.sample.due).toBeGreaterThan(0)
  expect(report.sample.due).toBeLessThan(report.sample.receipts)
  for (const rule of report.rules) {
    expect(rule).toMatchObject({ failed: 0, skipped: 0, first: null })
    if (rule.name !== 'succession') expect(rule.checked, rule.name).toBeGreaterThan(0)
  }
  // The sample has decided something: not every receipt has a verdict.
  const entries = (await entriesOf(log)).map(parseEntry)
  const verdicts = entries.reduce((sum, entry) => sum + (entry.kind === 'verdict' ? entry.count : 0), 0)
  const headers = entries.flatMap((entry) => (entry.kind === 'submission' ? [parseHeader(entry.header)] : []))
  expect(verdicts).toBeGreaterThan(0)
  expect(verdicts).toBeLessThan(headers.reduce((sum, { count }) => sum + count, 0))
})

test('headers alone, without a node, leave coins and payments unchecked and say so', async () => {
  const report = await replay({ ...log, chain: { ...log.chain, node: null } })
  expect(report).toMatchObject({ ok: true, first: null })
  expect(skippingIn(report)).toEqual(['deposits', 'payments', 'treasury'])
})

test('a mirror without the operator and its key leaves its word unchecked, finds payments by itself, and says so', async () => {
  const report = await replay({ ...log, claims: null, verifierKey: null })
  expect(report).toMatchObject({ ok: true, first: null })
  expect(skippingIn(report)).toEqual(['genesis', 'treasury', 'balances'])
})

describe('what is wrong with a log as a whole is named:', () => {
  test('an account of 1 msat more than follows', async () => {
    const claims = claimsOf(log)
    const accounts = new Map(claims.accounts)
    accounts.set('reserve', (accounts.get('reserve') ?? 0n) + 1n)
    const { first } = await replay({ ...log, claims: { ...claims, accounts } })
    expect(first).toMatchObject({ rule: 'balances', code: 'balance_mismatch', entry: null })
  })

  test('entries that are kept back', async () => {
    const entries = (await entriesOf(log)).slice(0, -1)
    const { rules } = await replay({ ...log, entries: () => inOrder(entries) })
    expect(rules.find(({ name }) => name === 'log')).toMatchObject({
      failed: 2,
      first: { code: 'log_root_mismatch', entry: null },
    })
  })

  test('entries that are kept back although they are anchored', async () => {
    const entries = (await entriesOf(log)).slice(0, -1)
    const { rules } = await replay({ ...log, entries: () => inOrder(entries) })
    expect(rules.find(({ name }) => name === 'anchors')?.first).toMatchObject({
      code: 'log_incomplete',
      detail: expect.stringContaining(`${entries.length} entries were read`),
    })
  })

  test('other entries than its anchors commit to', async () => {
    const { index, entry } = await find(log, 'price')
    const other = await withBytes(log, index, encodeEntry({ ...entry, unserved: entry.unserved + 1n }))
    const { rules } = await replay(other)
    expect(rules.find(({ name }) => name === 'anchors')?.first).toMatchObject({ code: 'not_append_only' })
  })

  test('a head that is not signed', async () => {
    const checkpoint = log.checkpoint.replace(/[A-Za-z0-9+/]{8}(=*)\n$/, 'AAAAAAAA$1\n')
    const { first } = await replay({ ...log, checkpoint })
    expect(first).toMatchObject({ rule: 'log', code: 'signature_invalid', entry: null })
  })

  test('a log that another key than the expected one signs', async () => {
    const { first } = await replay({ ...log, verifierKey: `${ORIGIN}+00000000+AAAA` })
    expect(first).toMatchObject({ rule: 'genesis', code: 'log_key_mismatch', entry: 0 })
  })

  test('anchors that run backwards', async () => {
    const { rules } = await replay({ ...log, anchors: log.anchors.toReversed() })
    expect(rules.find(({ name }) => name === 'log')?.first).toMatchObject({ code: 'anchors_disordered' })
  })

  test('an empty log', async () => {
    expect(await replay({ ...log, entries: () => inOrder([]) })).toMatchObject({
      ok: false,
      first: { code: 'genesis_missing' },
    })
  })

  test('a first entry that is no genesis', async () => {
    const [, second] = await entriesOf(log)
    const { first } = await replay(await withBytes(log, 0, second ?? new Uint8Array()))
    expect(first).toMatchObject({ rule: 'genesis', code: 'genesis_missing', entry: 0 })
  })
})

describe('what the log should hold by now is named:', () => {
  test('the settlement of every epoch that had a budget', async () => {
    const { rules } = await replay(await without(log, ({ kind }) => kind === 'epoch'))
    expect(rules.find(({ name }) => name === 'overdue')).toMatchObject({
      failed: 4,
      first: { code: 'settlement_overdue', entry: null },
    })
  })

  test('the maturity of what was settled', async () => {
    const { rules } = await replay(
      await without(log, (entry) => entry.kind === 'status' && entry.subject === 'epoch'),
    )
    expect(rules.find(({ name }) => name === 'overdue')).toMatchObject({
      failed: 4,
      first: { code: 'maturity_overdue', entry: null },
    })
  })
})

describe('what the chain does not show is named:', () => {
  test('an intent that was anchored before its payment', async () => {
    const { index, entry } = await find(log, 'payout')
    const paid = claimsOf(log).payments.get(entry.payout)?.height ?? 0
    const anchoredAt = (height: number) =>
      log.anchors.map((anchor) =>
        anchor.size > index ? { ...anchor, height: Math.max(anchor.height, height) } : anchor,
      )
    const paymentsOf = async (height: number) => {
      const { rules } = await replay({ ...log, anchors: anchoredAt(height) })
      return rules.find(({ name }) => name === 'payments')?.first
    }
    expect(await paymentsOf(paid - 1)).toBeNull()
    expect(await paymentsOf(paid)).toMatchObject({ code: 'paid_before_anchor', entry: index })
  })

  test('a payment that the operator points to in vain', async () => {
    const claims = claimsOf(log)
    const payments = new Map(
      [...claims.payments].map(([number, one]) => [number, { ...one, txid: '00'.repeat(32) }]),
    )
    const { first } = await replay({ ...log, claims: { ...claims, payments } })
    const { index } = await find(log, 'payout')
    expect(first).toMatchObject({ rule: 'payments', code: 'payment_missing', entry: index })
  })

  test('a treasury that was emptied past the books', async () => {
    const { chain } = log
    const emptied = { ...chain, node: chain.node && { ...chain.node, txOut: async () => null } }
    const { first } = await replay({ ...log, chain: emptied })
    expect(first).toMatchObject({ rule: 'treasury', code: 'coin_gone' })
  })
})

describe('what a log leaves when it is closed', () => {
  test('is what its books hold, the last payment found in the chain', async () => {
    const { accounts } = claimsOf(log)
    const { coins, workers } = await left(log)
    expect(coins.reduce((sum, { sats }) => sum + sats * 1_000n, 0n)).toBe(accounts.get('treasury'))
    expect(workers.length).toBeGreaterThan(0)
    for (const { worker, maturedMsat, unmaturedMsat } of workers) {
      const key = Buffer.from(worker).toString('hex')
      expect(maturedMsat).toBe(accounts.get(`worker/${key}/matured`) ?? 0n)
      expect(unmaturedMsat).toBe(accounts.get(`worker/${key}/unmatured`) ?? 0n)
    }
  })

  test('is not known while its last intent may still be paid', async () => {
    await expect(left(withNode({ blockAt: async () => null }))).rejects.toMatchObject({ code: 'payout_open' })
  })

  test('is not known before its last payment is final', async () => {
    const height = Math.max(...[...claimsOf(log).payments.values()].map((one) => one.height ?? 0))
    const young = { ...log, chain: { ...log.chain, tipHeight: height } }
    await expect(left(young)).rejects.toMatchObject({ code: 'not_final_yet' })
  })

  test('holds what an intent promised that never can be paid any more: its coin went elsewhere', async () => {
    const { index } = await find(log, 'payout')
    const cut = { ...log, entries: () => inOrder(all.slice(0, index + 1)) }
    const all = await entriesOf(log)
    const paid = await left(cut)
    const elsewhere = await left((await changePayees(cut, (payees) => payees.map(lessOneSat))).source)
    const owed = ({ workers }: typeof paid) => workers.reduce((sum, { maturedMsat }) => sum + maturedMsat, 0n)
    const { totalSats } = (await find(log, 'payout')).entry
    expect(owed(elsewhere) - owed(paid)).toBe(totalSats * 1_000n)
  })

  test('is not known where a payment can’t be read', async () => {
    const transactionInBlock = async () => null
    const { state } = await replayLog({ ...log, chain: { ...log.chain, node: null } })
    const { node } = withNode({ transactionInBlock }).chain
    if (state === null || node === null) throw new Error('recorded with a node')
    await expect(balancesLeft(state, node)).rejects.toMatchObject({ code: 'coins_unknown' })
  })
})

async function left(source: ReplaySource) {
  const { state } = await replayLog({ ...source, claims: null })
  const { node } = source.chain
  if (state === null || node === null) throw new Error('recorded with a node')
  return balancesLeft(state, node)
}

function withNode(change: Partial<NonNullable<ReplaySource['chain']['node']>>): ReplaySource {
  return { ...log, chain: { ...log.chain, node: log.chain.node && { ...log.chain.node, ...change } } }
}

function lessOneSat(payee: Payee): Payee {
  return { ...payee, sats: payee.sats - 1n }
}

function skippingIn({ rules }: Awaited<ReturnType<typeof replay>>): string[] {
  return rules.filter(({ skipped }) => skipped > 0).map(({ name }) => name)
}

function claimsOf({ claims }: ReplaySource) {
  if (claims === null) throw new Error('the log was recorded with claims')
  return claims
}
