import { Block, Transaction } from 'bitcoinjs-lib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { findSpender, spenderIn } from '../../anchor/find-spender.ts'
import { NodeError } from '../../anchor/node-error.ts'
import { openSpendSearch } from '../../anchor/spend-search.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { anchorNext, openSite } from './anchor-site.ts'

let bitcoind: RegtestNode

beforeAll(async () => {
  bitcoind = await startBitcoind()
})

afterAll(() => bitcoind?.stop())

it('the spender of an outpoint is found in the block that holds it, down to the last one asked for', async () => {
  using site = await openSite(bitcoind)
  const anchorer = site.open()
  await anchorNext(bitcoind, site, anchorer)
  const { height } = await site.node.chain()
  await bitcoind.mine(3)
  const [anchor] = anchorer.anchors()
  const found = await findSpender(site.node, site.firstSeal, height + 3, height)
  expect(found).toMatchObject({ txid: anchor?.txid, height })
  expect(Buffer.from(found?.raw ?? []).equals(anchor?.raw ?? new Uint8Array())).toBe(true)
  expect(await findSpender(site.node, site.firstSeal, height + 3, height + 1)).toBeNull()
  expect(await findSpender(site.node, { txid: anchor?.txid ?? '', vout: 0 }, height + 3, height)).toBeNull()
})

it('is looked for in 288 blocks at most', async () => {
  using site = await openSite(bitcoind)
  const asked: number[] = []
  const node = {
    ...site.node,
    async blockAt(height: number) {
      asked.push(height)
      return null
    },
  }
  expect(await findSpender(node, site.firstSeal, 1_000, 0)).toBeNull()
  expect([asked.length, asked[0], asked.at(-1)]).toEqual([288, 1_000, 713])
  asked.length = 0
  expect(await findSpender(node, site.firstSeal, 2, 0)).toBeNull()
  expect(asked).toEqual([2, 1, 0])
})

it('a search for the same coin reads only the blocks that came since, unless a reorganisation took the last', async () => {
  using site = await openSite(bitcoind)
  const coin = site.firstSeal
  await bitcoind.mine(3)
  const asked: number[] = []
  const blockAt = (height: number) => {
    asked.push(height)
    return site.node.blockAt(height)
  }
  const search = openSpendSearch({ ...site.node, blockAt })
  const read = async (wanted = coin) => {
    asked.length = 0
    const found = await search(wanted, 0)
    return { found: found?.height ?? null, asked: asked.length }
  }
  const { height } = await site.node.chain()
  expect(await read()).toEqual({ found: null, asked: Math.min(height + 1, 288) })
  expect(await read()).toEqual({ found: null, asked: 0 })
  await bitcoind.mine(2)
  expect(await read()).toEqual({ found: null, asked: 2 })
  await bitcoind.reorg(1)
  expect((await read()).asked).toBeGreaterThan(100)

  await anchorNext(bitcoind, site, site.open())
  const { height: anchored } = await site.node.chain()
  expect(await read()).toEqual({ found: anchored, asked: 1 })
  await bitcoind.mine(2)
  expect(await read()).toEqual({ found: anchored, asked: 0 })
  expect(await read({ ...coin, vout: 99 })).toMatchObject({ found: null })
  expect(await read()).toEqual({ found: anchored, asked: 3 })
})

it('one call of a search reads 2,016 blocks of the past, the next goes on from there, and no pruned one ends it', async () => {
  using site = await openSite(bitcoind)
  const asked: number[] = []
  let height = 5_000
  let prunedHeight = 100
  const search = openSpendSearch({
    ...site.node,
    chain: async () => ({ height, hash: `${height}`, pruned: true, initialBlockDownload: false }),
    blockHash: async (at) => `${at}`,
    async blockAt(at) {
      asked.push(at)
      if (at <= prunedHeight) throw new NodeError('block_pruned', 'Block not available')
      return null
    },
  })
  const read = async () => {
    asked.length = 0
    const unread = await search(site.firstSeal, 99).catch(({ code, message }) => `${code}: ${message}`)
    return { unread, asked: [asked.length, asked[0], asked.at(-1)] }
  }
  const read2016 = { unread: expect.stringContaining('spender_unread: '), asked: [2_016, 5_000, 2_985] }
  expect(await read()).toEqual(read2016)
  expect(await read()).toEqual({ ...read2016, asked: [2_016, 2_984, 969] })
  const pruned = expect.stringMatching(/^spender_unread: .*block 100 is pruned: connect a node that has it/)
  expect(await read()).toEqual({ unread: pruned, asked: [869, 968, 100] })
  height += 1
  expect(await read()).toEqual({ unread: pruned, asked: [2, 5_001, 100] })
  prunedHeight = 0
  expect(await read()).toEqual({ unread: null, asked: [2, 100, 99] })
  expect(await read()).toEqual({ unread: null, asked: [0, undefined, undefined] })
})

it('bytes of an outpoint that are no input spend nothing', () => {
  const outpoint = { txid: 'ab'.repeat(32), vout: 7 }
  const bytes = Buffer.concat([Buffer.from(outpoint.txid, 'hex').reverse(), Uint8Array.of(7, 0, 0, 0)])
  const blockOf = (spends: Uint8Array, vout: number, witness: Uint8Array) => {
    const coinbase = new Transaction()
    coinbase.addInput(new Uint8Array(32), 0xffff_ffff, 0xffff_ffff, bytes)
    coinbase.addOutput(Uint8Array.of(0x51), 0n)
    const spender = new Transaction()
    spender.addInput(spends, vout)
    spender.setWitness(0, [witness])
    spender.addOutput(Uint8Array.of(0x51), 0n)
    const block = new Block()
    block.prevHash = new Uint8Array(32)
    block.merkleRoot = new Uint8Array(32)
    block.transactions = [coinbase, spender]
    return { block: block.toBuffer(), spender: spender.toBuffer() }
  }
  const hash = bytes.subarray(0, 32)
  const honest = blockOf(hash, 7, new Uint8Array(64))
  expect(Buffer.from(spenderIn(honest.block, outpoint) ?? []).equals(honest.spender)).toBe(true)
  expect(spenderIn(blockOf(hash, 8, bytes).block, outpoint)).toBeNull()
  expect(spenderIn(blockOf(new Uint8Array(32).fill(1), 7, bytes).block, outpoint)).toBeNull()
})
