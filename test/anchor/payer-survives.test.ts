import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Transaction } from 'bitcoinjs-lib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseAddress } from '../../anchor/address.ts'
import type { Node } from '../../anchor/node.ts'
import type { Payer } from '../../anchor/payer.ts'
import type { PayoutOutput } from '../../anchor/payout-record.ts'
import { connectRpc } from '../../anchor/rpc.ts'
import { openWatchWallet } from '../../anchor/watch-wallet.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { requesterAccount } from '../../src/ledger/accounts.ts'
import { type PayoutCandidate, planPayout } from '../../src/rules/plan-payout.ts'
import { mempool, openDatabase, youngNode } from './anchor-site.ts'
import { openFaultyProxy } from './faulty-proxy.ts'
import { onlyPayout, openTreasury, payees, paymentOf, type Treasury } from './payer-treasury.ts'

let bitcoind: RegtestNode
let node: Node
beforeAll(async () => {
  bitcoind = await startBitcoind()
  node = youngNode(bitcoind.rpc)
})
afterAll(() => bitcoind?.stop())

/** All outputs in the chain that pay this address. */
async function chainOutputs(address: string): Promise<bigint[]> {
  const script = Buffer.from(parseAddress(address, 'regtest').script).toString('hex')
  const scan: unknown = await bitcoind.rpc.call('scantxoutset', 'start', [`raw(${script})`])
  const unspents = (scan as { unspents: { txid: string; vout: number }[] }).unspents
  const outputs = await Promise.all(unspents.map((outpoint) => node.txOut(outpoint, { mempool: false })))
  return outputs.map((output) => output?.valueSats ?? 0n)
}

/** Nobody twice, nobody forgotten, and paid + fees + left = funded. */
async function expectWhole(treasury: Treasury, payer: Payer, fundedSats: bigint): Promise<void> {
  let outSats = 0n
  for (const { outputs, feeSats, state } of payer.payouts()) {
    expect(state).toBe('settled')
    for (const { address, valueSats } of outputs) {
      expect(await chainOutputs(address)).toEqual([valueSats])
      outSats += valueSats
    }
    outSats += feeSats
  }
  const left = await chainOutputs(treasury.address)
  expect(outSats + left.reduce((sum, value) => sum + value, 0n)).toBe(fundedSats)
}

async function send(payer: Payer, outputs: PayoutOutput[]): Promise<void> {
  await payer.pin(
    'a',
    outputs.reduce((sum, { valueSats }) => sum + valueSats, 0n),
  )
  await payer.prepare('a', outputs)
  await payer.advance()
}

async function settle(payer: Payer, blocks = 3): Promise<void> {
  for (let block = 0; block < blocks; block += 1) {
    await bitcoind.mine(1)
    await payer.advance()
  }
}

it('a reply that is lost after the node accepted is no second payment', async () => {
  using treasury = await openTreasury(bitcoind, 50_000n)
  await using proxy = await openFaultyProxy(bitcoind.rpcUrl)
  proxy.meet((method) => (method === 'sendrawtransaction' ? 'drop_after' : null))
  const rpc = connectRpc({ url: proxy.url, cookieFile: bitcoind.cookieFile })
  const payer = treasury.open({ node: youngNode(rpc) })
  await send(payer, payees(20_000n))
  const { txid } = paymentOf(onlyPayout(payer))
  expect(onlyPayout(payer)).toMatchObject({
    state: 'prepared',
    trouble: expect.stringContaining('no answer'),
  })
  expect(await mempool(bitcoind)).toEqual([txid])
  await payer.advance()
  expect(onlyPayout(payer)).toMatchObject({ state: 'broadcast', trouble: null, attempts: [{ txid }] })
  await settle(payer)
  await expectWhole(treasury, payer, 50_000n)
  rpc.close()
})

it('coins in another order, between pin and the next try, make the same payment', async () => {
  using treasury = await openTreasury(bitcoind, 20_000n, 20_000n, 20_000n)
  const payer = treasury.open()
  const coins = await payer.pin('a', 40_000n)
  treasury.coins.reverse()
  const reopened = treasury.open()
  expect(await reopened.pin('a', 40_000n)).toEqual(coins)
  await send(reopened, payees(30_000n, 10_000n))
  await settle(reopened)
  await expectWhole(treasury, reopened, 60_000n)
})

it.each([1, 2, 3, 4, 5, 6])(
  'a reorg of depth %i over a confirmed payout loses and repeats nothing',
  async (depth) => {
    using treasury = await openTreasury(bitcoind, 50_000n)
    const payer = treasury.open({ policy: { finalDepth: 7, targetBlocks: 50 } })
    await send(payer, payees(20_000n, 10_000n))
    for (let block = 0; block < depth; block += 1) {
      await bitcoind.mine(1)
      await payer.advance()
    }
    expect(onlyPayout(payer).state).toBe('confirmed')
    await bitcoind.reorg(depth)
    await payer.advance()
    expect(onlyPayout(payer)).toMatchObject({ state: 'broadcast', height: null, trouble: null })
    await settle(payer, 7)
    expect(onlyPayout(payer).attempts).toHaveLength(1)
    await expectWhole(treasury, payer, 50_000n)
  },
)

it('funds that fall short pay nobody, say what is missing, and pay everybody once they are there', async () => {
  using treasury = await openTreasury(bitcoind, 20_000n)
  const payer = treasury.open()
  const outputs = payees(15_000n, 15_000n)
  await expect(payer.quote(outputs)).rejects.toMatchObject({
    code: 'insufficient_funds',
    availableSats: 20_000n,
  })
  await expect(payer.pin('a', 30_000n)).rejects.toMatchObject({ code: 'insufficient_funds' })
  expect(payer.payouts()).toEqual([])
  treasury.coins.push({
    ...(await bitcoind.fund(treasury.address, 30_000n)),
    valueSats: 30_000n,
    keyIndex: 0,
  })
  await send(payer, outputs)
  await settle(payer)
  await expectWhole(treasury, payer, 50_000n)
})

it('a wallet that the node has unloaded is no failed payment: what is out is followed, and nothing new begins', async () => {
  using treasury = await openTreasury(bitcoind, 50_000n)
  const name = 'watching'
  const internalKey = treasury.address
  const wallet = await openWatchWallet(bitcoind.rpc, name, [{ descriptor: `addr(${internalKey})`, since: 0 }])
  const listing = treasury.open({
    listCoins: async () => (await wallet.unspent(1)).map((coin) => ({ ...coin, keyIndex: 0 })),
  })
  await send(listing, payees(10_000n))
  await bitcoind.rpc.call('unloadwallet', name)
  await expect(listing.pin('b', 1_000n)).rejects.toMatchObject({ rpcCode: -18 })
  await settle(listing)
  expect(onlyPayout(listing)).toMatchObject({ state: 'settled', trouble: null })
  await bitcoind.rpc.call('loadwallet', name)
  expect(await listing.pin('b', 1_000n)).toHaveLength(1)
})

describe('a database restored from a backup', () => {
  it.each([
    ['made before the payment was pinned', 'empty'],
    ['made after it was pinned', 'pinned'],
    ['made after it was signed', 'prepared'],
  ] as const)('%s pays nobody twice: the same coin is spent, or the same bytes are sent', async (_, when) => {
    using folder = mkdtempDisposableSync(join(tmpdir(), 'assay-backup-'))
    const [live, old] = [join(folder.path, 'live.sqlite'), join(folder.path, 'old.sqlite')]
    using treasury = await openTreasury(bitcoind, 50_000n)
    const db = openDatabase(live)
    const outputs = payees(20_000n)
    const payer = treasury.open({ db })
    const backUp = async (moment: string) => void (moment === when && (await db.backup(old)))
    await backUp('empty')
    await payer.pin('a', 20_000n)
    await backUp('pinned')
    await payer.prepare('a', outputs)
    await backUp('prepared')
    await payer.advance()
    await settle(payer)
    db.close()

    const restored = openDatabase(old)
    const again = treasury.open({ db: restored })
    if (when === 'empty') {
      // The one coin is spent, and the change isn't listed: nothing can be pinned.
      await expect(again.pin('a', 20_000n)).rejects.toMatchObject({
        code: 'insufficient_funds',
        availableSats: 0n,
      })
    } else {
      await send(again, outputs)
      await settle(again)
    }
    expect(await chainOutputs(outputs[0]?.address ?? '')).toEqual([20_000n])
    restored.close()
  })
})

it('10,000 payees in payouts of 2,000 are paid once each, to the satoshi; a bad address and dust are listed unpaid', async () => {
  const EACH = 1_000n
  const BATCH = 2_000
  const FUNDED = 12_000_000n
  using treasury = await openTreasury(bitcoind, FUNDED)
  const payer = treasury.open({ policy: { capSats: 300_000n } })
  const all = payees(...Array.from({ length: 10_000 }, () => EACH))
  const owed = all.map(({ address }, i) => candidate(i, address, EACH))
  owed.splice(5_000, 0, candidate(10_000, 'nowhere', EACH), candidate(10_001, treasury.address, 329n))
  const limits = {
    thresholdSats: 1n,
    payeeCapSats: EACH,
    runCapSats: EACH * 10_000n,
    dayLeftSats: EACH * 10_000n,
    maxPayees: BATCH,
  }
  let waiting = owed
  const unpaid = new Map<string, string>()
  for (let payout = 0; waiting.length > 0; payout += 1) {
    const { payees: due, held } = planPayout(waiting, limits)
    const outputs = due.map(({ address, sats }) => ({ address, valueSats: sats }))
    await payer.pin(`${payout}`, EACH * BigInt(outputs.length))
    await payer.prepare(`${payout}`, outputs)
    await payer.advance()
    await settle(payer)
    const { txid, changeSats } = paymentOf(payer.payouts().at(-1))
    treasury.coins.splice(0, 1, { txid, vout: outputs.length, valueSats: changeSats, keyIndex: 0 })
    for (const { address, reason } of held) if (reason !== 'payees_full') unpaid.set(address, reason)
    const next = new Set(held.filter(({ reason }) => reason === 'payees_full').map(({ account }) => account))
    waiting = waiting.filter(({ account }) => next.has(account))
  }
  const paid = payer.payouts()
  expect(paid).toHaveLength(5)
  expect(paid.every(({ state }) => state === 'settled')).toBe(true)
  expect(paid.flatMap(({ outputs }) => outputs)).toEqual(all)
  expect([...unpaid]).toEqual([
    ['nowhere', 'address_unpayable'],
    [treasury.address, 'below_dust'],
  ])
  // What the chain holds says the same, apart from our own records.
  for (const { payment, outputs } of paid) {
    const { outs } = Transaction.fromBuffer(payment?.raw ?? new Uint8Array())
    expect(outs.slice(0, -1).map(({ script }) => Buffer.from(script).toString('hex'))).toEqual(
      outputs.map(({ address }) => Buffer.from(parseAddress(address, 'regtest').script).toString('hex')),
    )
    const mined = await node.transactionInBlock(payment?.txid ?? '', payment?.block?.blockHash ?? '')
    expect(Buffer.compare(mined ?? new Uint8Array(), payment?.raw ?? new Uint8Array())).toBe(0)
  }
  const fees = paid.reduce((sum, { feeSats }) => sum + feeSats, 0n)
  expect(await chainOutputs(treasury.address)).toEqual([FUNDED - EACH * 10_000n - fees])
})

function candidate(number: number, address: string, sats: bigint): PayoutCandidate {
  const account = requesterAccount(`${number}`)
  const dustSats = address === 'nowhere' ? null : parseAddress(address, 'regtest').dustSats
  return { account, address, payableMsat: sats * 1_000n, thresholdSats: 0n, dustSats, isQuarantined: false }
}
