import { parseHeader } from '../../anchor/block-header.ts'
import { sealScript } from '../../anchor/commitment.ts'
import type { Node } from '../../anchor/node.ts'
import type { BitcoinRpc } from '../../anchor/rpc.ts'
import type { WatchedCoin } from '../../anchor/watch-wallet.ts'
import { openWatchWallet } from '../../anchor/watch-wallet.ts'
import { MAX_DEPOSIT_KEYS } from '../keystore/derive-keys.ts'

/** The addresses that hold money, as bitcoind's own watch-only wallet sees them. */
export interface WatchedKeys {
  /** Coins of the anchor key's BIP-86 address: the first seal, or a top-up. */
  anchorCoins(minConfirmations: number): Promise<WatchedCoin[]>
  /** Those at the treasury's address, and at those of requesters. */
  treasuryCoins(minConfirmations: number): Promise<WatchedCoin[]>
}

interface Watched {
  /** x-only. */
  readonly internalKey: Uint8Array
}

/** Two weeks: a log is opened, its addresses get coins and it is first anchored not long before its epoch 0. */
export const BLOCKS_BEFORE_START = 2_016

/**
 * `name` is the wallet's, one for each log: several coordinators may share a node. `startHeight`, of epoch 0, or 0 where coins may be
 * older: a node that has no such wallet is another one than before, and has the blocks from before then read for it. Null: the
 * addresses are new.
 */
export async function watchKeys(
  rpc: BitcoinRpc,
  node: Node,
  name: string,
  keys: { anchor: Watched; treasury: Watched; deposits: { extendedPublicKey: string } },
  startHeight: number | null,
): Promise<WatchedKeys> {
  const since = await timeBefore(node, startHeight)
  const watched = [keys.anchor, keys.treasury].map(({ internalKey }) => ({
    descriptor: `tr(${Buffer.from(internalKey).toString('hex')})`,
    since,
  }))
  const deposits = {
    descriptor: `tr(${keys.deposits.extendedPublicKey}/*)`,
    since,
    range: [1, MAX_DEPOSIT_KEYS] as const,
  }
  const wallet = await openWatchWallet(rpc, name, [...watched, deposits])
  const anchorScript = Buffer.from(sealScript(keys.anchor.internalKey, null))
  const coins = async (minConfirmations: number, isAnchors: boolean) =>
    (await wallet.unspent(minConfirmations)).filter(({ script }) => anchorScript.equals(script) === isAnchors)
  return {
    anchorCoins: (minConfirmations) => coins(minConfirmations, true),
    treasuryCoins: (minConfirmations) => coins(minConfirmations, false),
  }
}

/** Unix seconds. Where epoch 0 is yet to come, coins are there before it all the same. */
async function timeBefore(node: Node, startHeight: number | null): Promise<number | 'now'> {
  if (startHeight === null) return 'now'
  const { height } = await node.chain()
  const hash = await node.blockHash(Math.max(0, Math.min(startHeight, height) - BLOCKS_BEFORE_START))
  return hash === null ? 0 : parseHeader(await node.header(hash)).time
}
