import { sealScript } from '../../anchor/commitment.ts'
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

/** `name` is the wallet's, one for each log: several coordinators may share a node. */
export async function watchKeys(
  rpc: BitcoinRpc,
  name: string,
  keys: { anchor: Watched; treasury: Watched; deposits: { extendedPublicKey: string } },
): Promise<WatchedKeys> {
  const watched = [keys.anchor, keys.treasury].map(({ internalKey }) => ({
    descriptor: `tr(${Buffer.from(internalKey).toString('hex')})`,
    since: 'now' as const,
  }))
  const deposits = {
    descriptor: `tr(${keys.deposits.extendedPublicKey}/*)`,
    since: 'now' as const,
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
