import type { z } from 'zod'
import type { Outpoint } from './anchor-transaction.ts'
import {
  descriptorInfoAnswer,
  descriptorListAnswer,
  importAnswer,
  readAnswer,
  unspentAnswer,
} from './node-answer.ts'
import { NodeError } from './node-error.ts'
import type { BitcoinRpc } from './rpc.ts'
import { RpcError } from './rpc-error.ts'

export interface WatchedCoin extends Outpoint {
  valueSats: bigint
  script: Uint8Array
  confirmations: number
}

interface WatchWallet {
  /** Coins with at least `minConfirmations`, as bitcoind's wallet sees them. */
  unspent(minConfirmations: number): Promise<WatchedCoin[]>
}

/**
 * A descriptor without its checksum; `since` is where a rescan starts: Unix seconds, or `now` for a new key. `range`: the
 * first and the last child of one that ends in `*`.
 */
interface WatchedDescriptor {
  descriptor: string
  since: number | 'now'
  range?: readonly [number, number]
}

/** RPC_WALLET_ERROR, RPC_WALLET_ALREADY_LOADED (Bitcoin Core, rpc/protocol.h). */
const WALLET_ERROR = -4
const ALREADY_LOADED = -35
/** listunspent's own default, "no upper limit". */
const MAX_CONFIRMATIONS = 9_999_999

/**
 * A wallet in bitcoind that watches and can't sign: made once, loaded again by the node at its start. Descriptors
 * that it has already are left alone, since each import may rescan the chain. Throws RpcError, NodeError.
 */
export async function openWatchWallet(
  rpc: BitcoinRpc,
  name: string,
  descriptors: readonly WatchedDescriptor[],
): Promise<WatchWallet> {
  const wallet = rpc.wallet(name)

  async function ask<T>(schema: z.ZodType<T>, method: string, ...params: unknown[]): Promise<T> {
    return readAnswer(schema, method, await wallet.call(method, ...params))
  }

  await loadOrCreate(rpc, name)
  const known = await ask(descriptorListAnswer, 'listdescriptors')
  const missing: object[] = []
  for (const { descriptor, since, range } of descriptors) {
    const { descriptor: desc } = await ask(descriptorInfoAnswer, 'getdescriptorinfo', descriptor)
    if (known.descriptors.some((one) => one.desc === desc)) continue
    missing.push({ desc, timestamp: since, ...(range === undefined ? {} : { range }) })
  }
  // All at once: each call reads the blocks anew.
  const imported = missing.length === 0 ? [] : await ask(importAnswer, 'importdescriptors', missing)
  const failed = imported.find(({ success }) => !success)
  if (failed !== undefined) {
    throw new NodeError('node_malformed', `importdescriptors: ${failed.error?.message ?? 'no reason given'}`)
  }

  return {
    async unspent(minConfirmations) {
      const coins = await ask(unspentAnswer, 'listunspent', minConfirmations, MAX_CONFIRMATIONS)
      return coins.map(({ amount, scriptPubKey, ...coin }) => ({
        ...coin,
        valueSats: amount,
        script: scriptPubKey,
      }))
    },
  }
}

async function loadOrCreate(rpc: BitcoinRpc, name: string): Promise<void> {
  const withoutKeys = true
  const blank = true
  const loadOnStartup = true
  try {
    await rpc.call('createwallet', name, withoutKeys, blank, '', false, true, loadOnStartup)
  } catch (error) {
    if (!(error instanceof RpcError) || error.rpcCode !== WALLET_ERROR) throw error
    await load(rpc, name, loadOnStartup) // -4: a wallet of that name exists
  }
}

async function load(rpc: BitcoinRpc, name: string, loadOnStartup: boolean): Promise<void> {
  try {
    await rpc.call('loadwallet', name, loadOnStartup)
  } catch (error) {
    if (!(error instanceof RpcError) || error.rpcCode !== ALREADY_LOADED) throw error
  }
}
