import type { z } from 'zod'
import { type Outpoint, txidOf } from './anchor-transaction.ts'
import { headerHash } from './block-header.ts'
import type { FeeMarket } from './fee.ts'
import { type NetworkName, networkOf } from './network.ts'
import {
  blockAnswer,
  bytesAnswer,
  chainAnswer,
  feeAnswer,
  feeEstimateAnswer,
  hashAnswer,
  mempoolEntryAnswer,
  mempoolInfoAnswer,
  readAnswer,
  spendingAnswer,
  txOutAnswer,
} from './node-answer.ts'
import { NodeError } from './node-error.ts'
import type { BitcoinRpc } from './rpc.ts'
import { RpcError } from './rpc-error.ts'
import { type SendOutcome, sendOutcomeOf } from './send-outcome.ts'

export interface ChainTip {
  height: number
  hash: string
}

interface ChainState extends ChainTip {
  pruned: boolean
  initialBlockDownload: boolean
}

interface UnspentOutput {
  valueSats: bigint
  script: Uint8Array
  /** 0 in the mempool. */
  confirmations: number
  coinbase: boolean
}

interface MempoolEntry {
  vsize: number
  feeSats: bigint
  /** Its own fee and those of everything in the mempool that spends from it. */
  descendantFeeSats: bigint
}

/**
 * bitcoind as the anchor rooms use it: typed, checked, and believed as little as possible. Hashes and transaction
 * ids are hex as bitcoind shows them. Works without txindex and on a pruned node. Every call may throw RpcError
 * (the node doesn't answer) or NodeError (the answer can't be used).
 */
export interface Node {
  chain(): Promise<ChainState>
  /** Of the best chain; null above its tip. */
  blockHash(height: number): Promise<string | null>
  /** 80 bytes that hash to `hash`. */
  header(hash: string): Promise<Uint8Array>
  /** Full bytes of the best chain's block; null above its tip. */
  blockAt(height: number): Promise<Uint8Array | null>
  /** In block order; empty when the node doesn't know that block. */
  blockTxids(hash: string): Promise<string[]>
  /** null when spent or unknown; with `mempool`, as the mempool leaves it. */
  txOut(outpoint: Outpoint, options: { mempool: boolean }): Promise<UnspentOutput | null>
  mempoolEntry(txid: string): Promise<MempoolEntry | null>
  /** Full bytes of what spends it in the mempool, or null. */
  mempoolSpender(outpoint: Outpoint): Promise<Uint8Array | null>
  /** Full bytes, or null when that block doesn't hold it. */
  transactionInBlock(txid: string, blockHash: string): Promise<Uint8Array | null>
  /** What that block's transaction left to the miner; null when that block doesn't hold it. Believed. */
  feeInBlock(txid: string, blockHash: string): Promise<bigint | null>
  send(raw: Uint8Array): Promise<SendOutcome>
  feeMarket(targetBlocks: number): Promise<FeeMarket>
}

/** RPC_MISC_ERROR, RPC_INVALID_ADDRESS_OR_KEY, RPC_INVALID_PARAMETER (Bitcoin Core, rpc/protocol.h). */
const MISC_ERROR = -1
const NOT_FOUND = -5
const OUT_OF_RANGE = -8

export function openNode(rpc: BitcoinRpc, network: NetworkName): Node {
  const { rpcChain } = networkOf(network)

  async function ask<T>(schema: z.ZodType<T>, method: string, ...params: unknown[]): Promise<T> {
    return readAnswer(schema, method, await rpc.call(method, ...params))
  }

  async function askOr<T>(absentCode: number, asked: Promise<T>): Promise<T | null> {
    try {
      return await asked
    } catch (error) {
      if (error instanceof RpcError && error.rpcCode === absentCode) return null
      if (
        error instanceof RpcError &&
        error.rpcCode === MISC_ERROR &&
        error.message.includes('not available')
      ) {
        throw new NodeError('block_pruned', error.message, { cause: error })
      }
      throw error
    }
  }

  /** Of the mempool, or of a block that is named. */
  async function transaction(txid: string, ...blockHash: string[]): Promise<Uint8Array | null> {
    const raw = await askOr(NOT_FOUND, ask(bytesAnswer, 'getrawtransaction', txid, 0, ...blockHash))
    if (raw !== null && txidOf(raw) !== txid) {
      throw new NodeError('node_mismatch', `the transaction received for ${txid} is another one`)
    }
    return raw
  }

  const blockHash = (height: number) => askOr(OUT_OF_RANGE, ask(hashAnswer, 'getblockhash', height))

  return {
    async chain() {
      const answer = await ask(chainAnswer, 'getblockchaininfo')
      if (answer.chain !== rpcChain) {
        throw new NodeError('wrong_network', `the node serves ${answer.chain}, ${network} is configured`)
      }
      const {
        blocks: height,
        bestblockhash: hash,
        pruned,
        initialblockdownload: initialBlockDownload,
      } = answer
      return { height, hash, pruned, initialBlockDownload }
    },

    blockHash,

    async header(hash) {
      const header = await ask(bytesAnswer, 'getblockheader', hash, false)
      if (header.length !== 80 || headerHash(header) !== hash) {
        throw new NodeError('node_mismatch', `the header received for ${hash} is another one's`)
      }
      return header
    },

    async blockAt(height) {
      const hash = await blockHash(height)
      const block = hash === null ? null : await askOr(NOT_FOUND, ask(bytesAnswer, 'getblock', hash, 0))
      if (block === null) return null
      if (block.length < 80 || headerHash(block.subarray(0, 80)) !== hash) {
        throw new NodeError('node_mismatch', `the block received for ${hash} is another one`)
      }
      return block
    },

    async blockTxids(hash) {
      const block = await askOr(NOT_FOUND, ask(blockAnswer, 'getblock', hash, 1))
      return block?.tx ?? []
    },

    async txOut({ txid, vout }, { mempool }) {
      const answer = await ask(txOutAnswer, 'gettxout', txid, vout, mempool)
      if (answer === null) return null
      const { value: valueSats, scriptPubKey, confirmations, coinbase } = answer
      return { valueSats, script: scriptPubKey.hex, confirmations, coinbase }
    },

    async mempoolEntry(txid) {
      const answer = await askOr(NOT_FOUND, ask(mempoolEntryAnswer, 'getmempoolentry', txid))
      if (answer === null) return null
      return { vsize: answer.vsize, feeSats: answer.fees.base, descendantFeeSats: answer.fees.descendant }
    },

    async mempoolSpender({ txid, vout }) {
      const [spending] = await ask(spendingAnswer, 'gettxspendingprevout', [{ txid, vout }])
      if (spending?.spendingtxid === undefined) return null
      return transaction(spending.spendingtxid)
    },

    transactionInBlock: (txid, blockHash) => transaction(txid, blockHash),

    async feeInBlock(txid, blockHash) {
      const answer = await askOr(NOT_FOUND, ask(feeAnswer, 'getrawtransaction', txid, 2, blockHash))
      return answer?.fee ?? null
    },

    async send(raw) {
      try {
        await rpc.call('sendrawtransaction', Buffer.from(raw).toString('hex'))
        return { kind: 'accepted' }
      } catch (error) {
        if (error instanceof RpcError) return sendOutcomeOf(error)
        throw error
      }
    },

    async feeMarket(targetBlocks) {
      const [estimate, mempool] = await Promise.all([
        ask(feeEstimateAnswer, 'estimatesmartfee', targetBlocks),
        ask(mempoolInfoAnswer, 'getmempoolinfo'),
      ])
      return {
        estimateSatPerKvb: estimate.feerate ?? null,
        mempoolMinSatPerKvb: mempool.mempoolminfee,
        relayMinSatPerKvb: mempool.minrelaytxfee,
        incrementalSatPerKvb: mempool.incrementalrelayfee,
      }
    },
  }
}
