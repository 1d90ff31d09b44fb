import { randomBytes } from 'node:crypto'
import { HDKey } from '@scure/bip32'
import { utils } from '@scure/btc-signer'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { sealScript } from '../../anchor/commitment.ts'
import type { BitcoinRpc } from '../../anchor/rpc.ts'
import { taprootAddress } from '../../anchor/taproot-address.ts'
import { openWatchWallet } from '../../anchor/watch-wallet.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'

/** tpub and tprv (BIP-32). */
const TEST_VERSIONS = { public: 0x043587cf, private: 0x04358394 }

let bitcoind: RegtestNode

beforeAll(async () => {
  bitcoind = await startBitcoind()
})

afterAll(() => bitcoind?.stop())

function freshKey() {
  const internalKey = utils.pubSchnorr(randomBytes(32))
  const descriptor = `tr(${Buffer.from(internalKey).toString('hex')})`
  return {
    descriptor,
    address: taprootAddress(internalKey, 'regtest'),
    script: sealScript(internalKey, null),
  }
}

it('sees coins of its descriptors at the asked depth, those from before it was made too', async () => {
  const key = freshKey()
  const coin = await bitcoind.fund(key.address, 12_345n)
  const wallet = await openWatchWallet(bitcoind.rpc, 'from the start', [
    { descriptor: key.descriptor, since: 0 },
  ])
  const expected = { ...coin, valueSats: 12_345n, script: key.script, confirmations: 1 }
  expect(await wallet.unspent(1)).toEqual([expected])
  expect(await wallet.unspent(2)).toEqual([])
})

it('is opened again, with one more descriptor, and after the node was restarted', async () => {
  const [first, second] = [freshKey(), freshKey()]
  const watch = (keys: { descriptor: string }[]) =>
    openWatchWallet(
      bitcoind.rpc,
      'again',
      keys.map(({ descriptor }) => ({ descriptor, since: 'now' as const })),
    )
  await watch([first])
  await watch([first, second])
  await bitcoind.restart()
  const wallet = await watch([first, second])
  await bitcoind.fund(first.address, 1_000n)
  await bitcoind.fund(second.address, 2_000n)
  expect((await wallet.unspent(1)).map(({ valueSats }) => valueSats).toSorted()).toEqual([1_000n, 2_000n])
  await bitcoind.rpc.call('unloadwallet', 'again')
  expect(await (await watch([first])).unspent(1)).toHaveLength(2)
})

it('is refused at each start while the node can not read the blocks of its coins', async () => {
  await using pruned = await startBitcoind({ extraArgs: ['-prune=1', '-fastprune'] })
  const { rpc } = pruned
  await pruned.mine(800)
  await rpc.call('pruneblockchain', 600)
  const descriptors = [{ descriptor: freshKey().descriptor, since: 0 }]
  for (let start = 0; start < 2; start += 1) {
    await expect(openWatchWallet(rpc, 'pruned', descriptors)).rejects.toMatchObject({ code: 'block_pruned' })
  }
})

it('has the blocks read again where the node broke off, and no more once they were', async () => {
  const key = freshKey()
  const { txid } = await bitcoind.fund(key.address, 1_000n)
  const imports: unknown[] = []
  let isAway = true
  const wallet = (name: string): BitcoinRpc => ({
    ...bitcoind.rpc.wallet(name),
    async call(method, ...params) {
      const answer = await bitcoind.rpc.wallet(name).call(method, ...params)
      if (method === 'importdescriptors') imports.push(answer)
      if (method === 'importdescriptors' && isAway) throw new Error('the node is away')
      return answer
    },
  })
  const open = () =>
    openWatchWallet({ ...bitcoind.rpc, wallet }, 'broke off', [{ descriptor: key.descriptor, since: 0 }])
  await expect(open()).rejects.toThrow('the node is away')
  isAway = false
  expect(await (await open()).unspent(1)).toMatchObject([{ txid }])
  expect(imports).toHaveLength(2)
  expect(await (await open()).unspent(1)).toMatchObject([{ txid }])
  expect(imports).toHaveLength(2)
})

it('is opened where the node broke off after an address had widened its range', async () => {
  const [first, chain] = [freshKey(), HDKey.fromMasterSeed(randomBytes(32), TEST_VERSIONS)]
  const ranged = `tr(${chain.publicExtendedKey}/*)`
  const { descriptor } = Object(await bitcoind.rpc.call('getdescriptorinfo', ranged))
  const [address] = Object(await bitcoind.rpc.call('deriveaddresses', descriptor, [5, 5]))
  const { txid } = await bitcoind.fund(address, 1_000n)
  let isAway = true
  const wallet = (name: string): BitcoinRpc => ({
    ...bitcoind.rpc.wallet(name),
    async call(method, ...params) {
      if (method === 'setlabel' && isAway) throw new Error('the node is away')
      return bitcoind.rpc.wallet(name).call(method, ...params)
    },
  })
  const open = () =>
    openWatchWallet({ ...bitcoind.rpc, wallet }, 'widened', [
      { descriptor: first.descriptor, since: 0 },
      { descriptor: ranged, since: 0, range: [1, 1000] },
    ])
  await expect(open()).rejects.toThrow('the node is away')
  isAway = false
  expect(await (await open()).unspent(1)).toMatchObject([{ txid }])
})

it('refuses a descriptor that is none', async () => {
  const nonsense = [{ descriptor: 'tr(nonsense)', since: 0 }]
  await expect(openWatchWallet(bitcoind.rpc, 'nonsense', nonsense)).rejects.toMatchObject({ rpcCode: -5 })
})

it('can not sign', async () => {
  const { descriptor, address } = freshKey()
  await openWatchWallet(bitcoind.rpc, 'no keys', [{ descriptor, since: 'now' }])
  await bitcoind.fund(address, 50_000n)
  const info = await bitcoind.rpc.wallet('no keys').call('getwalletinfo')
  expect(info).toMatchObject({ private_keys_enabled: false })
})
