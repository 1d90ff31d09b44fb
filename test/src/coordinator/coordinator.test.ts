import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { BitcoinRpc } from '../../../anchor/rpc.ts'
import { taprootAddress } from '../../../anchor/taproot-address.ts'
import { newWorkerKey, publicKeyOf } from '../../../compute/work/worker-key.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { openCoordinator } from '../../../src/coordinator/coordinator.ts'
import { bookInheritance } from '../../../src/coordinator/inheritance.ts'
import { writeInheritance } from '../../../src/coordinator/succession-file.ts'
import { BLOCKS_BEFORE_START } from '../../../src/coordinator/watch-keys.ts'
import { deriveKeys } from '../../../src/keystore/derive-keys.ts'
import { newMnemonic } from '../../../src/keystore/mnemonic.ts'
import { maturedAccount } from '../../../src/ledger/accounts.ts'
import { parseEntry } from '../../../src/log/entry.ts'
import { encodeInheritedBalances } from '../../../src/log/inherited-balances.ts'
import { reasonsOf } from './epoch-entry.ts'
import { openRequester } from './paying-requester.ts'
import { idOf, worksOf } from './peer.ts'
import { BUDGET_MSAT, openSite, SEAL_SATS } from './site.ts'

/** Far more than the two hours that bitcoind looks back. */
async function mineTomorrow({ rpc, mine }: RegtestNode, blocks: number): Promise<void> {
  const { mediantime } = Object(await rpc.call('getblockchaininfo'))
  await rpc.call('setmocktime', Math.max(mediantime, Math.floor(Date.now() / 1_000)) + 86_400)
  await mine(blocks)
}

/** As a node that never watched them, a day after their coins. */
async function forgetAddresses(node: RegtestNode): Promise<void> {
  await mineTomorrow(node, 12)
  const { rpc, datadir } = node
  const [name] = Object(await rpc.call('listwallets')).filter((wallet: string) => wallet.startsWith('assay-'))
  await rpc.call('unloadwallet', name)
  rmSync(join(datadir, 'regtest', 'wallets', name), { recursive: true })
}

/** Ample on a busy machine: only what hangs fails. */
const PATIENCE = { timeout: 110_000 }

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

test('a coordinator that starts anew before and after every block loses nothing and pays once', async () => {
  await using site = await openSite(node)
  const [worker, operator] = await site.begin(1)
  if (worker === undefined || operator === undefined) throw new Error('too few peers')
  await worksOf(worker.work())
  for (let block = 0; !site.status().payouts.some(({ state }) => state === 'settled'); block += 1) {
    if (block === 60) throw new Error('60 blocks have not brought the payout')
    await node.mine(1)
    await site.reopen()
    await operator.audit()
    await site.reopen()
    expect(await site.reconcile()).toMatchObject({ ok: true })
  }
  const paidSats = (BUDGET_MSAT * 95n) / 100n / 1000n
  expect(site.status().payouts).toHaveLength(1)
  expect(await site.satsOnChain(worker.address)).toBe(paidSats)
  expect(site.troubles).toEqual([])
})

test('a second coordinator on the same folder is refused, and the first one goes on', async () => {
  await using site = await openSite(node)
  const second = openCoordinator({ config: site.config, keys: site.keys, rpc: node.rpc, onEvent: () => {} })
  await expect(second).rejects.toMatchObject({ code: 'folder_in_use' })
  const height = site.coordinator().advancedTo() ?? 0
  await site.mine(1)
  expect(site.coordinator().advancedTo()).toBe(height + 1)
})

test('a coordinator that could not open leaves its folder to the next one', async () => {
  await using site = await openSite(node, { funded: false })
  await site.close()
  const down: BitcoinRpc = { ...node.rpc, call: () => Promise.reject(new Error('the node is down')) }
  const failed = openCoordinator({ config: site.config, keys: site.keys, rpc: down, onEvent: () => {} })
  await expect(failed).rejects.toThrow('the node is down')
  await site.reopen()
  expect(site.coordinator().advancedTo()).not.toBeNull()
})

test('another treasury than the one that the log names is refused: its coins would be nobody’s', async () => {
  await using site = await openSite(node)
  await site.close()
  const { config, keys } = site
  const other = Buffer.from(publicKeyOf(newWorkerKey())).toString('hex')
  const payout = { ...config.payout, signer: 'psbt', treasuryKey: other } as const
  const opened = openCoordinator({ config: { ...config, payout }, keys, rpc: node.rpc, onEvent: () => {} })
  await expect(opened).rejects.toMatchObject({ code: 'config_invalid', key: 'payout.treasuryKey' })
  const { treasury } = deriveKeys(newMnemonic(), 'regtest')
  const restored = openCoordinator({ config, keys: { ...keys, treasury }, rpc: node.rpc, onEvent: () => {} })
  await expect(restored).rejects.toMatchObject({
    code: 'config_invalid',
    key: 'payout.signer',
    message: expect.stringContaining('of this keystore'),
  })
  await site.reopen()
  expect(site.coordinator().lastError()).toBeNull()
})

test('on a node that never watched its addresses, as after a restore elsewhere, it sees the coins that it had', async () => {
  await using other = await startBitcoind()
  await using site = await openSite(other)
  const coins = await site.coordinator().watched.treasuryCoins(1)
  expect(coins).toHaveLength(1)
  await site.close()
  await forgetAddresses(other)
  await site.reopen()
  expect(await site.coordinator().watched.treasuryCoins(1)).toMatchObject(
    coins.map(({ txid, vout, valueSats }) => ({ txid, vout, valueSats })),
  )
  expect(await site.reconcile()).toMatchObject({ ok: true })
})

test('a log that succeeds another sees the coins of the treasury that it takes over, wherever in the chain', async () => {
  await using other = await startBitcoind()
  const keys = deriveKeys(newMnemonic(), 'regtest')
  const treasury = taprootAddress(keys.treasury.internalKey, 'regtest')
  const coin = await other.fund(treasury, 10_000n)
  await mineTomorrow(other, BLOCKS_BEFORE_START)
  await using site = await openSite(other, { funded: false, keys })
  await site.close()
  await forgetAddresses(other)
  const blob = encodeInheritedBalances({ v: 1, treasury, coins: [], requesters: [], workers: [] })
  const balances = new Uint8Array(createHash('sha256').update(blob).digest())
  const anchor = { index: 0, txid: new Uint8Array(32), height: 0 }
  const succeeds = { logKey: new Uint8Array(32), checkpoint: 'of the old log', anchor, balances }
  await writeInheritance(site.config.dataDir, { succeeds, blob })
  await site.reopen()
  expect(await site.coordinator().watched.treasuryCoins(1)).toMatchObject([coin])
  await other.fund(site.coordinator().anchorAddress, SEAL_SATS)
  await site.mineUntil('the genesis', () => site.coordinator().house() !== null)
  await site.close()
  await forgetAddresses(other)
  await site.reopen()
  expect(await site.coordinator().watched.treasuryCoins(1)).toMatchObject([coin])
})

test('a log whose epoch 0 is far away sees the coins that it has by now', async () => {
  await using other = await startBitcoind()
  await using site = await openSite(other, { funded: false, flags: { 'epoch.startHeight': '100000' } })
  const coin = await other.fund(site.coordinator().treasuryAddress, 10_000n)
  await other.fund(site.coordinator().anchorAddress, SEAL_SATS)
  await site.mineUntil('the genesis', () => site.coordinator().house() !== null)
  await site.close()
  await forgetAddresses(other)
  await site.reopen()
  expect(await site.coordinator().watched.treasuryCoins(1)).toMatchObject([coin])
})

test('a node that goes away is said to be away before the next block, and no more once it is back', async () => {
  await using site = await openSite(node, { funded: false, flags: { 'bitcoind.pollMs': '50' } })
  let isAway = false
  const call: BitcoinRpc['call'] = (...asked) =>
    isAway ? Promise.reject(new Error('the node is away')) : node.rpc.call(...asked)
  await site.reopen({ ...node.rpc, call })
  expect(site.coordinator().lastError()).toBeNull()
  isAway = true
  await vi.waitFor(() => expect(site.coordinator().lastError()?.message).toBe('the node is away'), PATIENCE)
  isAway = false
  await vi.waitFor(() => expect(site.coordinator().lastError()).toBeNull(), PATIENCE)
})

test('the log opens when the first seal is final: the largest coin there is then', async () => {
  await using site = await openSite(node, { funded: false })
  const { anchorAddress } = site.coordinator()
  const seal = await node.fund(anchorAddress, SEAL_SATS)
  await site.coordinator().kick()
  expect(site.coordinator().house()).toBeNull()
  await node.fund(anchorAddress, SEAL_SATS - 1n)
  await node.mine(1)
  await site.coordinator().kick()
  const genesis = parseEntry(site.coordinator().books.log.entry(0))
  if (genesis.kind !== 'genesis') throw new Error(`entry 0 is of kind ${genesis.kind}`)
  expect(genesis).toMatchObject({ network: 'regtest', origin: site.origin, method: 'dual' })
  expect(Buffer.from(genesis.auditor)).toEqual(Buffer.from(site.keys.auditor.publicKey))
  expect(genesis.seal).toMatchObject({ vout: seal.vout, sats: SEAL_SATS })
  expect(Buffer.from(genesis.seal.txid).reverse().toString('hex')).toBe(seal.txid)
})

test('no epoch is settled while the node is catching up: what it has not seen would be lost', async () => {
  await using site = await openSite(node)
  const [worker] = await site.begin(1)
  if (worker === undefined) throw new Error('no worker')
  const works = await worksOf(worker.work())
  const size = site.coordinator().books.log.size()
  const inFlight = () => site.house().anchorer.state().inFlight?.size ?? 0
  await site.mineUntil('an anchor on its way to hold the work', () => inFlight() >= size)

  let syncing = true
  await site.reopen({
    ...node.rpc,
    async call(method, ...params) {
      const answer = await node.rpc.call(method, ...params)
      return method === 'getblockchaininfo' ? { ...Object(answer), initialblockdownload: syncing } : answer
    },
  })
  // Far beyond the block at which epoch 0 is settled.
  for (let block = 0; block < 20; block += 1) {
    await node.mine(1)
    await site.coordinator().kick()
  }
  expect(site.coordinator().lastError()).toMatchObject({
    code: 'anchors_unjudged',
    message: expect.stringMatching(/^node_syncing: /),
  })
  expect(site.status().epochs.filter(({ settled }) => settled)).toEqual([])

  syncing = false
  await site.coordinator().kick()
  expect(site.coordinator().lastError()).toBeNull()
  const reasons = reasonsOf(site)
  expect(works.map((work) => reasons.get(idOf(work)))).toEqual(works.map(() => 'earned'))
})

test('nothing is promised to anybody by a node that has lost the block of a final anchor, and all is once it is back', async () => {
  await using site = await openSite(node)
  const requester = await openRequester(site, 'acme')
  await node.fund(requester.depositAddress, 30_000n)
  await site.begin(0)
  site.house().payer.stop('a test', 0)
  expect((await requester.withdraw('20000000')).status).toBe(202)
  await site.anchorAll()
  await site.mine(site.config.epoch.finalDepth)
  const final = site
    .house()
    .anchorer.anchors()
    .findLast(({ state }) => state === 'final')
  const blockHash = await node.rpc.call('getblockhash', final?.height)
  await node.rpc.call('invalidateblock', blockHash)
  site.house().payer.resume()
  const size = site.coordinator().books.log.size()
  await site.coordinator().kick()
  expect(site.status().stalled?.code).toBe('node_behind')
  expect(site.coordinator().lastError()).toMatchObject({
    code: 'anchors_unjudged',
    message: expect.stringMatching(/^node_behind: /),
  })
  expect(site.coordinator().books.log.size()).toBe(size)

  await node.rpc.call('reconsiderblock', blockHash)
  await site.coordinator().kick()
  expect(site.coordinator().lastError()).toBeNull()
  expect(site.status().payouts).toMatchObject([{ state: 'pinned', totalSats: 20_000n }])
})

test('a node that has lost the block of the last maturity, as in a power cut, is waited for: what is planned below it is no plan', async () => {
  await using site = await openSite(node)
  const requester = await openRequester(site, 'acme')
  await node.fund(requester.depositAddress, 30_000n)
  await site.begin(0)
  site.house().payer.stop('a test', 0)
  expect((await requester.withdraw('20000000')).status).toBe(202)
  await site.mineUntil('the maturity', () => site.status().epochs.some(({ matured }) => matured))
  const blockHash = await node.rpc.call('getbestblockhash')
  await node.rpc.call('invalidateblock', blockHash)
  site.house().payer.resume()
  const size = site.coordinator().books.log.size()
  await site.coordinator().kick()
  expect(site.coordinator().lastError()).toMatchObject({ code: 'anchors_unjudged' })
  expect(site.coordinator().books.log.size()).toBe(size)

  await node.rpc.call('reconsiderblock', blockHash)
  await site.coordinator().kick()
  expect(site.status().payouts).toMatchObject([{ state: 'pinned', totalSats: 20_000n }])
})

test('a node that has lost the block at which an inheritance matured is waited for as well', async () => {
  await using site = await openSite(node)
  await site.begin(0)
  const { books } = site.coordinator()
  const { hex, key, address } = await site.peer()
  const balances = encodeInheritedBalances({
    v: 1,
    treasury: address,
    coins: [],
    requesters: [],
    workers: [{ worker: key, address, maturedMsat: 0n, unmaturedMsat: 1n }],
  })
  bookInheritance(books, balances, 0)
  const maturedMsat = () => books.ledger.balance(maturedAccount(hex)).postedMsat
  await site.mine(site.config.epoch.maturityBlocks)
  expect(maturedMsat()).toBe(0n)
  await site.mine(1)
  expect(maturedMsat()).toBe(1n)
  const blockHash = await node.rpc.call('getbestblockhash')
  await node.rpc.call('invalidateblock', blockHash)
  await site.coordinator().kick()
  expect(site.coordinator().lastError()).toMatchObject({ code: 'anchors_unjudged' })

  await node.rpc.call('reconsiderblock', blockHash)
  await site.coordinator().kick()
  expect(site.coordinator().lastError()).toBeNull()
})
