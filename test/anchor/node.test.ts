import { randomBytes } from 'node:crypto'
import { utils } from '@scure/btc-signer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { txidOf } from '../../anchor/anchor-transaction.ts'
import { headerHash } from '../../anchor/block-header.ts'
import { sealScript } from '../../anchor/commitment.ts'
import { type Node, openNode } from '../../anchor/node.ts'
import { NodeError } from '../../anchor/node-error.ts'
import type { BitcoinRpc } from '../../anchor/rpc.ts'
import { taprootAddress } from '../../anchor/taproot-address.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { hex } from './anchor-site.ts'
import { signedPayment } from './signed-payment.ts'

/** A pruned node keeps 288 blocks, and small block files make pruning of so short a chain possible. */
const PRUNED_ARGS = ['-prune=1', '-fastprune']
const ABSENT = 'f'.repeat(64)

let bitcoind: RegtestNode
let node: Node

beforeAll(async () => {
  bitcoind = await startBitcoind({ extraArgs: PRUNED_ARGS })
  node = openNode(bitcoind.rpc, 'regtest')
})

afterAll(() => bitcoind?.stop())

/** A signed spend of a fresh confirmed coin back to its own key. */
async function spend(feeSats = 1_000n, valueSats = 50_000n) {
  const secretKey = randomBytes(32)
  const internalKey = utils.pubSchnorr(secretKey)
  const coin = { ...(await bitcoind.fund(taprootAddress(internalKey, 'regtest'), valueSats)), valueSats }
  const changeScript = sealScript(internalKey, null)
  const build = (fee: bigint) =>
    signedPayment({ secretKey, inputs: [coin], outputs: [], changeScript, feeSats: fee })
  return { coin, changeScript, build, ...build(feeSats) }
}

/** A node that answers every call with this: what arrives from a foreign process is unknown. */
function answering(answer: unknown): Node {
  const rpc: BitcoinRpc = { call: async () => answer, wallet: () => rpc, close: () => {} }
  return openNode(rpc, 'regtest')
}

describe('the chain', () => {
  it('is read, and that of another network refused', async () => {
    const [hash] = await bitcoind.mine(1)
    const tip = await node.chain()
    expect(tip).toMatchObject({ hash, pruned: true, initialBlockDownload: false })
    expect(await node.blockHash(tip.height)).toBe(hash)
    expect(await node.blockHash(tip.height + 1)).toBeNull()
    await expect(openNode(bitcoind.rpc, 'mainnet').chain()).rejects.toMatchObject({ code: 'wrong_network' })
  })

  it('gives headers that hash to what was asked for', async () => {
    const [first = '', second = ''] = await bitcoind.mine(2)
    expect(await node.header(first)).toHaveLength(80)
    const other = Buffer.from(await node.header(second)).toString('hex')
    await expect(answering(other).header(first)).rejects.toMatchObject({ code: 'node_mismatch' })
    await expect(answering(other.slice(2)).header(second)).rejects.toMatchObject({ code: 'node_mismatch' })
  })

  it('gives the transactions of a block without txindex, and none for an unknown block', async () => {
    const { raw, txid } = await spend()
    expect(await node.send(raw)).toEqual({ kind: 'accepted' })
    const [hash = ''] = await bitcoind.mine(1)
    expect(await node.blockTxids(hash)).toContain(txid)
    expect(Buffer.compare((await node.transactionInBlock(txid, hash)) ?? new Uint8Array(), raw)).toBe(0)
    expect(await node.transactionInBlock(ABSENT, hash)).toBeNull()
    expect(await node.transactionInBlock(txid, ABSENT)).toBeNull()
    expect(await node.blockTxids(ABSENT)).toEqual([])
    const answer = Buffer.from(raw).toString('hex')
    await expect(answering(answer).transactionInBlock(ABSENT, hash)).rejects.toMatchObject({
      code: 'node_mismatch',
    })
  })

  it('gives whole blocks by height, and what their transactions left to the miner', async () => {
    const { raw, txid } = await spend(1_234n)
    await node.send(raw)
    const [hash = ''] = await bitcoind.mine(1)
    const { height } = await node.chain()
    const block = await node.blockAt(height)
    expect(headerHash((block ?? new Uint8Array()).subarray(0, 80))).toBe(hash)
    expect(hex(block).includes(hex(raw))).toBe(true)
    expect(await node.blockAt(height + 1)).toBeNull()
    expect(await node.feeInBlock(txid, hash)).toBe(1_234n)
    expect(await node.feeInBlock(ABSENT, hash)).toBeNull()
    const [coinbase = ''] = await node.blockTxids(hash)
    expect(await node.feeInBlock(coinbase, hash)).toBeNull()
    const other = await node.blockAt(height - 1)
    for (const wrong of [Buffer.from(other ?? []).toString('hex'), '00'.repeat(79)]) {
      const rpc: BitcoinRpc = {
        ...bitcoind.rpc,
        call: async (method) => (method === 'getblock' ? wrong : hash),
      }
      await expect(openNode(rpc, 'regtest').blockAt(height)).rejects.toMatchObject({ code: 'node_mismatch' })
    }
  })

  it('says that a block was pruned', async () => {
    const [old = ''] = await bitcoind.mine(1)
    const [txid = ''] = await node.blockTxids(old)
    const { height } = await node.chain()
    await bitcoind.mine(900)
    await bitcoind.rpc.call('pruneblockchain', height + 500)
    await expect(node.blockTxids(old)).rejects.toMatchObject({ code: 'block_pruned' })
    await expect(node.blockAt(height)).rejects.toMatchObject({ code: 'block_pruned' })
    await expect(node.feeInBlock(txid, old)).rejects.toMatchObject({ code: 'block_pruned' })
    await expect(node.transactionInBlock(txid, old)).rejects.toMatchObject({ code: 'block_pruned' })
    expect(await node.header(old)).toHaveLength(80)
  })
})

describe('outputs and the mempool', () => {
  it('tell what is confirmed, what is waiting and what is claimed', async () => {
    const { coin, raw, txid, changeScript, vsize } = await spend(1_000n)
    expect(await node.txOut(coin, { mempool: false })).toEqual({
      valueSats: 50_000n,
      script: changeScript,
      confirmations: 1,
      coinbase: false,
    })
    expect(await node.mempoolEntry(txid)).toBeNull()
    await node.send(raw)
    expect(await node.mempoolEntry(txid)).toEqual({ vsize, feeSats: 1_000n, descendantFeeSats: 1_000n })
    expect(await node.txOut(coin, { mempool: false })).not.toBeNull()
    expect(await node.txOut(coin, { mempool: true })).toBeNull()
    expect(await node.txOut({ txid, vout: 0 }, { mempool: false })).toBeNull()
    expect(await node.txOut({ txid, vout: 0 }, { mempool: true })).toMatchObject({ confirmations: 0 })
    await bitcoind.mine(1)
  })

  it('price in satoshis per 1,000 vbytes', async () => {
    const { mempoolMinSatPerKvb, relayMinSatPerKvb, incrementalSatPerKvb } = await node.feeMarket(6)
    expect(mempoolMinSatPerKvb >= relayMinSatPerKvb && relayMinSatPerKvb > 0n).toBe(true)
    expect(incrementalSatPerKvb > 0n).toBe(true)
  })

  it.each([
    ['none while it has no data', { errors: ['Insufficient data or no feerate found'], blocks: 0 }, null],
    ['exact', { feerate: 0.00012345, blocks: 6 }, 12_345n],
    ['exact, in an exponent', { feerate: 1e-8, blocks: 6 }, 1n],
  ])('give an estimate: %s', async (_title, answer, estimateSatPerKvb) => {
    const mempool = { mempoolminfee: 0.00001, minrelaytxfee: 0.00001, incrementalrelayfee: '0.00000100' }
    expect(await answering({ ...answer, ...mempool }).feeMarket(6)).toEqual({
      estimateSatPerKvb,
      mempoolMinSatPerKvb: 1_000n,
      relayMinSatPerKvb: 1_000n,
      incrementalSatPerKvb: 100n,
    })
  })
})

describe('send', () => {
  it('takes a transaction that is known already, waiting or mined, for sent', async () => {
    const { raw } = await spend()
    expect(await node.send(raw)).toEqual({ kind: 'accepted' })
    expect(await node.send(raw)).toEqual({ kind: 'accepted' })
    await bitcoind.mine(1)
    expect(await node.send(raw)).toEqual({ kind: 'known' })
  })

  it('tells a spent input from a refusal by policy', async () => {
    const { build, raw } = await spend(1_000n)
    await node.send(raw)
    expect(await node.send(build(1_001n).raw)).toMatchObject({ kind: 'refused', rpcCode: -26 })
    await bitcoind.mine(1)
    expect(await node.send(build(1_001n).raw)).toMatchObject({ kind: 'spent' })
    const cheap = await spend(1n)
    expect(await node.send(cheap.raw)).toMatchObject({ kind: 'refused', rpcCode: -26 })
    expect(await node.send(cheap.raw.slice(1))).toMatchObject({ kind: 'refused', rpcCode: -22 })
    // Above sendrawtransaction's own limit of 0.1 BTC/kvB; -25, and yet no input is missing.
    const dear = await spend(4_000_000n, 5_000_000n)
    expect(txidOf(dear.raw)).toBe(dear.txid)
    expect(await node.send(dear.raw)).toMatchObject({ kind: 'refused', rpcCode: -25 })
  })

  it('does not know when there is no answer', async () => {
    const { raw } = await spend()
    await using gone = await startBitcoind()
    const lost = openNode(gone.rpc, 'regtest')
    await gone.kill()
    expect(await lost.send(raw)).toMatchObject({ kind: 'unknown' })
  })
})

describe('an answer that is not what Bitcoin Core documents', () => {
  const hash = 'a'.repeat(64)
  const chain = {
    chain: 'regtest',
    blocks: 1,
    bestblockhash: hash,
    initialblockdownload: false,
    pruned: false,
  }
  const output = { confirmations: 1, value: 0.5, coinbase: false, scriptPubKey: { hex: '51' } }
  const cases: [string, unknown, (node: Node) => Promise<unknown>][] = [
    ['no object', 'regtest', (it) => it.chain()],
    ['a height that is no number', { ...chain, blocks: '1' }, (it) => it.chain()],
    ['a fractional height', { ...chain, blocks: 1.5 }, (it) => it.chain()],
    ['a short hash', { ...chain, bestblockhash: 'aa' }, (it) => it.chain()],
    ['a hash in capitals', 'A'.repeat(64), (it) => it.blockHash(0)],
    ['a block without transactions', { tx: [] }, (it) => it.blockTxids(hash)],
    [
      'a negative amount',
      { ...output, value: -1 },
      (it) => it.txOut({ txid: hash, vout: 0 }, { mempool: true }),
    ],
    [
      'a script of odd length',
      { ...output, scriptPubKey: { hex: '5' } },
      (it) => it.txOut({ txid: hash, vout: 0 }, { mempool: true }),
    ],
    ['an output that is undefined', undefined, (it) => it.txOut({ txid: hash, vout: 0 }, { mempool: true })],
    [
      'a mempool entry of no size',
      { vsize: 0, fees: { base: 1, descendant: 1 } },
      (it) => it.mempoolEntry(hash),
    ],
    ['fees without amounts', {}, (it) => it.feeMarket(6)],
  ]
  it.each(cases)('is refused: %s', async (_title, answer, ask) => {
    const failure = await ask(answering(answer)).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(NodeError)
    expect(failure).toMatchObject({ code: 'node_malformed' })
  })
})
