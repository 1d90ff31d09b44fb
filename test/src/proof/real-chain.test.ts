import { p2tr } from '@scure/btc-signer'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildAnchorTransaction, type Method } from '../../../anchor/anchor-transaction.ts'
import { parseHeader } from '../../../anchor/block-header.ts'
import { proveTransaction } from '../../../anchor/merkle-branch.ts'
import { networkOf } from '../../../anchor/network.ts'
import { parseOts } from '../../../anchor/ots/parse-ots.ts'
import { verifyOts } from '../../../anchor/ots/verify-ots.ts'
import { receiptId } from '../../../compute/work/receipt.ts'
import { type RegtestNode, startBitcoind } from '../../../regtest/start-bitcoind.ts'
import { buildProof } from '../../../src/proof/build-proof.ts'
import { exportOts } from '../../../src/proof/ots.ts'
import { encodeProof, type Proof } from '../../../src/proof/proof.ts'
import { verifyProof } from '../../../src/proof/verify-proof.ts'
import { ANCHOR_SECRET_KEY, INTERNAL_KEY, makeLog, makeSubmission } from './synthetic-proof.ts'

let node: RegtestNode
beforeAll(async () => {
  node = await startBitcoind()
})
afterAll(() => node.stop())

const seal = { valueSats: 50_000n, payload: null }
const bytesOf = (hex: unknown) => new Uint8Array(Buffer.from(String(hex), 'hex'))

async function headerAt(height: number): Promise<Uint8Array> {
  const hash = await node.rpc.call('getblockhash', height)
  return bytesOf(await node.rpc.call('getblockheader', hash, false))
}

/** Anchors a log with one submission of three receipts on the node's chain, and proves the second. */
async function anchorOnChain(method: Method): Promise<Proof> {
  const { receipt, receiptPath, entry } = makeSubmission(3, 1)
  const { logPath, checkpoint, logKey, payload } = makeLog(entry, 1, 3)
  const address = p2tr(INTERNAL_KEY, undefined, networkOf('regtest').scure).address ?? ''
  const coin = await node.fund(address, seal.valueSats)
  const { txid, raw } = buildAnchorTransaction({
    method,
    secretKey: ANCHOR_SECRET_KEY,
    seal: { ...seal, ...coin },
    payload,
    feeSats: 500n,
  })
  expect(await node.rpc.call('sendrawtransaction', Buffer.from(raw).toString('hex'))).toBe(txid)
  const [blockHash] = await node.mine(1)
  const block = Object(await node.rpc.call('getblock', blockHash, 1))
  const { height } = block
  const branch = proveTransaction(block.tx, block.tx.indexOf(txid))
  const anchor = { index: 9, raw, height, header: await headerAt(height), branch }
  const keys = { logKey, internalKey: INTERNAL_KEY }
  return buildProof({ receipt, receiptPath, entry, entryIndex: 1, logPath, checkpoint, ...keys, anchor })
}

test.each(['dual', 'taproot'] as const)(
  'a receipt anchored (%s) by a real transaction existed, until a reorg',
  async (method) => {
    const proof = await anchorOnChain(method)
    const reader = { headerAt, logKey: proof.logKey, internalKey: INTERNAL_KEY }
    const report = await verifyProof(encodeProof(proof), reader)
    expect(report).toMatchObject({ existed: true, failed: null, unpinned: [], height: proof.height })
    expect(report.blockTimeUnix).toBe(parseHeader(proof.header).time)
    await node.reorg(1)
    expect(await verifyProof(encodeProof(proof), reader)).toMatchObject({
      existed: false,
      failed: 'header_chain',
    })
  },
)

test('its OpenTimestamps file holds for the header that the node serves', async () => {
  const proof = await anchorOnChain('dual')
  const { merkleRoot } = parseHeader(await headerAt(proof.height))
  const results = verifyOts(parseOts(exportOts(proof)), receiptId(proof.receipt), () => merkleRoot)
  expect(results.map(({ result }) => result)).toEqual(['confirmed'])
})
