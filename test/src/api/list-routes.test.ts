import { once } from 'node:events'
import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { checkHeaderChain } from '../../../anchor/header-chain.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { readBooks } from '../../../src/client/read-books.ts'
import { parseAccount } from '../../../src/ledger/accounts.ts'
import type { Peer } from '../coordinator/peer.ts'
import { BUDGET_MSAT, openSite, type Site } from '../coordinator/site.ts'
import { expectRefused } from './refused.ts'

const rowsSchema = z.array(z.record(z.string(), z.unknown()))

/** One epoch worked, audited, settled and paid by two workers; see the coordinator's own tests for what each means. */
let node: RegtestNode
let site: Site
let peers: Peer[]
beforeAll(async () => {
  node = await startBitcoind()
  site = await openSite(node)
  peers = await site.begin(2)
  for (const peer of peers.slice(0, 2)) await peer.work()
  await site.mineAudited(peers, 'a payout', () =>
    site.status().payouts.some(({ state }) => state === 'settled'),
  )
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await node.stop()
})

const ask = (path: string, headers: Record<string, string> = {}) =>
  fetch(new URL(path, site.url), { headers })
const rowsAt = async (path: string) => rowsSchema.parse(await (await ask(path)).json())

describe('lists', () => {
  test('accounts come by name, each with what it holds, and sum up to the balances by kind', async () => {
    const { status, accounts } = await readBooks(site.url)
    const own = site.coordinator().books.ledger.accounts()
    expect(accounts).toEqual(own.map(({ name, postedMsat }) => ({ account: name, msat: `${postedMsat}` })))
    const sums = new Map<string, bigint>()
    for (const { account, msat } of accounts) {
      const { kind } = parseAccount(account)
      sums.set(kind, (sums.get(kind) ?? 0n) + BigInt(msat))
    }
    expect(status.open?.balances).toEqual(
      [...sums].toSorted().map(([kind, msat]) => ({ kind, msat: `${msat}` })),
    )
    const [first = { account: '' }, ...rest] = accounts
    expect(await (await ask(`/v1/accounts?after=${first.account}`)).json()).toEqual({
      size: status.log.size,
      accounts: rest,
      next: null,
    })
    for (const after of ['', 'Reserve', "x'", 'a'.repeat(129)]) {
      expect((await ask(`/v1/accounts?after=${encodeURIComponent(after)}`)).status).toBe(400)
    }
  })

  test('pages of accounts are of the size that is asked for, of those that the log had', async () => {
    const size = site.coordinator().books.log.size()
    const page = async (query: string) => Object(await (await ask(`/v1/accounts?${query}`)).json())
    const [{ entryIndex, totalSats } = { entryIndex: 0, totalSats: 0n }] = site.house().desks.payouts.list()
    expect(totalSats).toBeGreaterThan(0n)
    const held = async (account: string, size: number) =>
      (await page(`size=${size}`)).accounts.find((one: { account: string }) => one.account === account)
    expect(await held('payout/0', entryIndex)).toEqual({ account: 'payout/0', msat: '0' })
    expect(await held('reserve', 1)).toEqual({ account: 'reserve', msat: '0' })
    const matured = async (size: number) =>
      (await page(`size=${size}`)).accounts
        .filter(({ account }: { account: string }) => account.endsWith('/matured'))
        .reduce((sum: bigint, { msat }: { msat: string }) => sum + BigInt(msat), 0n)
    expect((await matured(entryIndex)) - (await matured(entryIndex + 1))).toBe(totalSats * 1_000n)
    expect(await page(`size=${size}`)).toEqual(await page(''))
    expect(await page(`size=${size + 1}`)).toMatchObject({ status: 400, code: 'size_unknown' })
    expect((await ask('/v1/accounts?size=-1')).status).toBe(400)
  })

  test('the books are read again where a payout is settled meanwhile, and not forever', async () => {
    // Which no page tells.
    let settlings = 0
    const asked: string[] = []
    const pages: object[] = []
    const size = site.coordinator().books.log.size()
    const page = (name: string, next: string | null) => ({
      size,
      accounts: [{ account: name, msat: '1' }],
      next,
    })
    const server = createServer(async ({ url = '' }, response) => {
      asked.push(url)
      if (url !== '/v1/status') {
        const answer = pages.shift() ?? page('z', null)
        response.statusCode = Number(Object(answer).status ?? 200)
        return void response.end(JSON.stringify(answer))
      }
      const status = Object(await (await ask(url)).json())
      if (settlings-- > 0) status.open.payouts.push(...Array(settlings).fill(status.open.payouts[0]))
      response.end(JSON.stringify(status))
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const url = `http://127.0.0.1:${Object(server.address()).port}`
    settlings = 3
    pages.push(page('a', 'a'), page('b', null), page('a', 'a'), page('b', null))
    const { accounts } = await readBooks(url)
    expect(accounts.map(({ account }) => account)).toEqual(['a', 'b'])
    const first = [
      '/v1/status',
      `/v1/accounts?size=${size}`,
      `/v1/accounts?size=${size}&after=a`,
      '/v1/status',
    ]
    expect(asked).toEqual([...first, ...first])
    pages.push(page('a', 'b'), page('b', 'b'))
    await expect(readBooks(url)).rejects.toMatchObject({ code: 'accounts_endless' })
    settlings = 100
    await expect(readBooks(url)).rejects.toMatchObject({ code: 'books_moving' })
    settlings = 0
    pages.push({ ...page('a', null), size: size + 1 })
    await expect(readBooks(url)).rejects.toMatchObject({ code: 'answer_malformed' })
    pages.push({ status: 410, code: 'size_gone', detail: 'gone' }, page('a', null))
    expect((await readBooks(url)).accounts.map(({ account }) => account)).toEqual(['a'])
  })

  test('anchors come newest first, each with what it was first to cover', async () => {
    const rows = await rowsAt('/v1/anchors/list')
    const known = site.house().anchorer.anchors().toReversed()
    expect(rows.map(({ index }) => index)).toEqual(known.map(({ index }) => index))
    expect(rows.map(({ size }) => size)).toEqual(known.map(({ size }) => size))
    expect(rows.map(({ firstEntry }) => firstEntry)).toEqual([...known.slice(1).map(({ size }) => size), 0])
    const [first] = rows.slice(-1)
    expect(first).toMatchObject({
      index: 0,
      state: 'final',
      txid: known.at(-1)?.txid,
      feeSats: '162',
      vsize: 162,
    })
    expect(first?.blockTimeUnix).toBeGreaterThan(1_600_000_000)
  })

  test('the page before an anchor ends at it, and the one before the first is empty', async () => {
    const rows = await rowsAt('/v1/anchors/list?before=2')
    expect(rows.map(({ index }) => index)).toEqual([1, 0])
    expect(await rowsAt('/v1/anchors/list?before=0')).toEqual([])
  })

  test('epochs say their blocks, their budget and what became of it', async () => {
    const rows = await rowsAt('/v1/epochs')
    const first = rows.at(-1)
    expect(first).toMatchObject({
      number: 0,
      firstHeight: site.startHeight,
      lastHeight: site.startHeight + 5,
      budgetMsat: `${BUDGET_MSAT}`,
      state: 'matured',
    })
    const sum = ['computeMsat', 'auditMsat', 'returnedMsat'].map((key) => BigInt(String(first?.[key])))
    expect(sum.reduce((a, b) => a + b)).toBe(BUDGET_MSAT)
    expect(rows.at(0)).toMatchObject({ state: 'open', computeMsat: null, settledEntry: null })
    expect(await rowsAt('/v1/epochs?before=1')).toEqual([first])
  })

  test('workers come in the order of the log with the sums of their receipts, audits and money', async () => {
    const rows = await rowsAt('/v1/workers')
    expect(rows.map(({ worker }) => worker)).toEqual(peers.map(({ hex }) => hex))
    expect(rows.reduce((sum, { receipts }) => sum + Number(receipts), 0)).toBe(24)
    for (const row of rows) {
      expect(row).toMatchObject({ passed: row.receipts, failed: 0, standing: 'good', forfeitedMsat: '0' })
    }
    const paid = rows.reduce((sum, { paidMsat }) => sum + BigInt(String(paidMsat)), 0n)
    expect(paid).toBe(site.status().payouts.reduce((sum, { totalSats }) => sum + totalSats * 1000n, 0n))
    expect(await rowsAt(`/v1/workers?after=${rows[0]?.entry}`)).toEqual(rows.slice(1))
    expect(await rowsAt(`/v1/workers?after=${rows[2]?.entry}`)).toEqual([])
  })

  test("a worker's earnings are those of the ledger, by epoch and subnet", async () => {
    const rows = await rowsAt(`/v1/workers/${peers[0]?.hex}/earnings`)
    const known = site
      .coordinator()
      .books.db.prepare<[Uint8Array | undefined], { subnet: string; msat: bigint }>(
        'SELECT subnet, msat FROM accrual WHERE worker = ? AND epoch = 0 ORDER BY subnet',
      )
      .all(peers[0]?.key)
    const ofFirst = rows.filter(({ epoch }) => epoch === 0)
    expect(ofFirst).toEqual(known.map(({ subnet, msat }) => ({ epoch: 0, subnet, msat: `${msat}` })))
    expect(ofFirst.length).toBeGreaterThan(0)
    expect(await rowsAt(`/v1/workers/${peers[0]?.hex}/earnings?before=0`)).toEqual([])
  })

  test.each(['00', 'x'.repeat(64), '00'.repeat(32)])(
    'earnings of worker %s: worker_unknown',
    async (worker) => {
      await expectRefused(site, () => ask(`/v1/workers/${worker}/earnings`), {
        status: 404,
        code: 'worker_unknown',
      })
    },
  )

  test('subnets show the definition in force and how far its dataset is worked', async () => {
    const [subnet] = await rowsAt('/v1/subnets')
    expect(subnet).toMatchObject({
      name: 'tiny',
      objective: { name: 'throughput' },
      dataset: { items: 24, perEpoch: 24 },
      priceMsat: '0',
      nextPriceMsat: null,
      itemsOpen: 0,
      itemsDone: 24,
      models: [{ name: 'identity', unitsPerItem: 7, version: 1, spdx: 'MIT' }],
    })
  })

  test('receipts come newest first, or in the order of the log, and go on inside a submission', async () => {
    const oldest = await rowsAt('/v1/receipts')
    expect(oldest).toHaveLength(24)
    expect(await rowsAt('/v1/receipts?before=999999999.0')).toEqual(oldest.toReversed())
    expect(oldest[0]).toMatchObject({ subnet: 'tiny', units: 7, sampled: true, verdict: 'pass', position: 0 })
    const place = (row = oldest[0]) => `${row?.entry}.${row?.position}`
    expect(await rowsAt(`/v1/receipts?after=${place(oldest[1])}`)).toEqual(oldest.slice(2))
    expect(await rowsAt(`/v1/receipts?before=${place(oldest[1])}`)).toEqual(oldest.slice(0, 1))
    expect(await rowsAt(`/v1/receipts?after=${place(oldest[23])}`)).toEqual([])
    expect(await rowsAt(`/v1/receipts?before=${place(oldest[0])}`)).toEqual([])
  })

  test.each([
    '/v1/anchors/list?before=-1',
    '/v1/epochs?before=x',
    '/v1/workers?after=1.5',
    '/v1/receipts?before=1.0&before=2.0',
    '/v1/receipts?before=1',
    '/v1/receipts?after=1.-1',
    '/v1/headers?from=9007199254740993',
  ])('%s: cursor_malformed', async (path) => {
    await expectRefused(site, () => ask(path), { status: 400, code: 'cursor_malformed' })
  })

  test('an answer that has not changed is not sent again', async () => {
    const first = await ask('/v1/epochs')
    // As a browser asks; Node's fetch would ask for all of it.
    const browser = { 'cache-control': 'max-age=0' }
    const etag = first.headers.get('etag') ?? ''
    const again = await ask('/v1/epochs', { ...browser, 'if-none-match': etag })
    expect([again.status, await again.text()]).toEqual([304, ''])
    expect((await ask('/v1/epochs', { ...browser, 'if-none-match': '"another"' })).status).toBe(200)
  })
})

describe('headers', () => {
  test('lead as a checked chain from genesis to the node’s tip, page by page', async () => {
    const pages: Uint8Array[] = []
    for (let from = 0; ; from = pages.reduce((sum, { length }) => sum + length / 80, 0)) {
      const page = new Uint8Array(await (await ask(`/v1/headers?from=${from}`)).arrayBuffer())
      if (page.length === 0) break
      pages.push(page)
    }
    const chain = checkHeaderChain(new Uint8Array(Buffer.concat(pages)), 'regtest')
    expect(chain.tipHash).toBe(await node.rpc.call('getbestblockhash'))
  })

  test('start at the height asked for', async () => {
    const tip = Number(await node.rpc.call('getblockcount'))
    const page = new Uint8Array(await (await ask(`/v1/headers?from=${tip}`)).arrayBuffer())
    const hex = await node.rpc.call('getblockheader', await node.rpc.call('getbestblockhash'), false)
    expect(Buffer.from(page).toString('hex')).toBe(hex)
  })
})
