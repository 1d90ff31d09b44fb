import { randomBytes } from 'node:crypto'
import { formatBtcAmount, parseBtcAmount } from '../anchor/amount.ts'
import { type BitcoinRpc, RpcError } from '../anchor/rpc.ts'
import { expectList, expectRecord, expectText } from './expect-json.ts'
import { RegtestError } from './regtest-error.ts'

const WALLET = 'regtest-miner'
/** Coinbases per round of funding: 1,000 BTC at the first subsidy. */
const FUNDING_BLOCKS = 20
/**
 * 100 blocks until a coinbase can be spent (Bitcoin Core, consensus/consensus.h), and 10 more, so that a reorg of
 * 10 blocks can't make a coin immature again and drop the payment that spends it.
 */
const MATURING_BLOCKS = 110
/** Each call stays far below the RPC time-out. */
const MAX_BLOCKS_PER_CALL = 100
/** Regtest halves every 150 blocks: five rounds give 2,875 BTC, and further ones next to nothing. */
const MAX_FUNDING_ROUNDS = 5
/** Enough for a payment with hundreds of inputs at the fallback fee rate. */
const FEE_MARGIN_SATS = 100_000n
/** Bitcoin Core, rpc/protocol.h. */
const RPC_WALLET_ALREADY_LOADED = -35
const RPC_WALLET_NOT_FOUND = -18

export interface Miner {
  /** Mines on the tip, with what the mempool holds; the new hashes. Without an address nobody is paid. */
  mine(blocks: number, address?: string): Promise<string[]>
  /**
   * Pays exactly `sats` and mines that payment alone; the rest of the mempool stays. Mines 130 blocks first when it
   * has no coins left. Throws RegtestError `regtest_funds_short`.
   */
  fund(address: string, sats: bigint): Promise<{ txid: string; vout: number }>
}

/**
 * A descriptor of a script that pushes random bytes: anybody's coin, and a block that can't turn out to be one that
 * was invalidated within the same second.
 */
function uniqueDescriptor(): string {
  return `raw(04${randomBytes(4).toString('hex')})`
}

/** Blocks that leave the mempool alone; the new hashes. */
export async function mineEmpty(rpc: BitcoinRpc, blocks: number, address?: string): Promise<string[]> {
  const hashes: string[] = []
  while (hashes.length < blocks) {
    const block = expectRecord(
      await rpc.call('generateblock', address ?? uniqueDescriptor(), []),
      'generateblock',
    )
    hashes.push(expectText(block.hash, 'block hash'))
  }
  return hashes
}

/** Blocks, and coins from a wallet of its own. */
export function createMiner(rpc: BitcoinRpc): Miner {
  const wallet = rpc.wallet(WALLET)
  let funding: Promise<unknown> = Promise.resolve()

  async function mine(blocks: number, address?: string): Promise<string[]> {
    const hashes: string[] = []
    while (hashes.length < blocks) {
      const count = Math.min(blocks - hashes.length, MAX_BLOCKS_PER_CALL)
      const mined =
        address === undefined
          ? await rpc.call('generatetodescriptor', count, uniqueDescriptor())
          : await rpc.call('generatetoaddress', count, address)
      hashes.push(...expectList(mined, 'mined blocks').map((hash) => expectText(hash, 'block hash')))
    }
    return hashes
  }

  async function pay(address: string, sats: bigint): Promise<{ txid: string; vout: number }> {
    await openWallet(rpc)
    await gather(sats + FEE_MARGIN_SATS)
    const answer = await wallet.call('send', { [address]: formatBtcAmount(sats) }, null, 'unset', null, {
      change_position: 1,
      minconf: 1, // a payment that spends the change of an unmined one can't be mined alone
      // The wallet's default, the current height (against fee sniping), would keep the payment from returning to
      // the mempool when a reorg goes below that height.
      locktime: 0,
    })
    const txid = expectText(expectRecord(answer, 'send').txid, 'send txid')
    await rpc.call('generateblock', uniqueDescriptor(), [txid])
    return { txid, vout: 0 }
  }

  /** Mines until the wallet can spend that much. */
  async function gather(sats: bigint): Promise<void> {
    for (let round = 0; round < MAX_FUNDING_ROUNDS; round++) {
      if ((await confirmedSats()) >= sats) return
      await mineEmpty(rpc, FUNDING_BLOCKS, expectText(await wallet.call('getnewaddress'), 'getnewaddress'))
      await mineEmpty(rpc, MATURING_BLOCKS)
    }
    throw new RegtestError('regtest_funds_short', `the chain can't pay ${formatBtcAmount(sats)} BTC`)
  }

  /** Summed from the coins: getbalance counts unmined change whatever depth it is asked for. */
  async function confirmedSats(): Promise<bigint> {
    const coins = expectList(await wallet.call('listunspent', 1), 'listunspent')
    return coins
      .map((coin) => parseBtcAmount(expectRecord(coin, 'listunspent').amount))
      .reduce((sum, sats) => sum + sats, 0n)
  }

  return {
    mine,
    fund(address, sats) {
      // One after the other, so that each finds the change of the one before mined.
      const next = funding.then(
        () => pay(address, sats),
        () => pay(address, sats),
      )
      funding = next
      return next
    },
  }
}

/** Loads the wallet that an earlier run left in the datadir, or makes it, unless it is open already. */
async function openWallet(rpc: BitcoinRpc): Promise<void> {
  try {
    await rpc.call('loadwallet', WALLET)
  } catch (error) {
    if (!(error instanceof RpcError)) throw error
    if (error.rpcCode === RPC_WALLET_ALREADY_LOADED) return
    if (error.rpcCode !== RPC_WALLET_NOT_FOUND) throw error
    await rpc.call('createwallet', WALLET)
  }
}
