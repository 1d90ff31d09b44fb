import { sealScript } from '../../anchor/commitment.ts'
import type { BitcoinRpc } from '../../anchor/rpc.ts'
import type { WatchedCoin } from '../../anchor/watch-wallet.ts'
import { openWatchWallet } from '../../anchor/watch-wallet.ts'

/** The two addresses that hold money, as bitcoind's own watch-only wallet sees them. */
export interface WatchedKeys {
  /** Coins of the anchor key's BIP-86 address: the first seal, or a top-up. */
  anchorCoins(minConfirmations: number): Promise<WatchedCoin[]>
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
  keys: { anchor: Watched; treasury: Watched },
): Promise<WatchedKeys> {
  const watched = [keys.anchor, keys.treasury].map(({ internalKey }) => ({
    descriptor: `tr(${Buffer.from(internalKey).toString('hex')})`,
    since: 'now' as const,
  }))
  const wallet = await openWatchWallet(rpc, name, watched)
  const coinsOf = (internalKey: Uint8Array) => {
    const script = Buffer.from(sealScript(internalKey, null))
    return async (minConfirmations: number) =>
      (await wallet.unspent(minConfirmations)).filter((coin) => script.equals(coin.script))
  }
  return { anchorCoins: coinsOf(keys.anchor.internalKey), treasuryCoins: coinsOf(keys.treasury.internalKey) }
}
