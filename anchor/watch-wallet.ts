import type { z } from 'zod'
import type { Outpoint } from './anchor-transaction.ts'
import {
  descriptorInfoAnswer,
  descriptorListAnswer,
  importAnswer,
  readAnswer,
  textsAnswer,
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

type Range = readonly [number, number]

/**
 * A descriptor without its checksum; `since` is where a rescan starts: Unix seconds, or `now` for a new key. `range`: the
 * first and the last child of one that ends in `*`.
 */
interface WatchedDescriptor {
  descriptor: string
  since: number | 'now'
  range?: Range
}

/** RPC_MISC_ERROR, RPC_WALLET_ERROR, RPC_WALLET_ALREADY_LOADED (Bitcoin Core, rpc/protocol.h). */
const MISC_ERROR = -1
const WALLET_ERROR = -4
const ALREADY_LOADED = -35
/** listunspent's own default, "no upper limit". */
const MAX_CONFIRMATIONS = 9_999_999

/**
 * A wallet in bitcoind that watches and can't sign: made once, loaded again by the node at its start. Once the blocks
 * were read for all of `descriptors`, they are not again. The first has no range. Throws RpcError, NodeError
 * `block_pruned` where they could not be read.
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
  const wanted = await Promise.all(
    descriptors.map(async ({ descriptor, since, range }) => {
      const { descriptor: desc } = await ask(descriptorInfoAnswer, 'getdescriptorinfo', descriptor)
      return { desc, timestamp: since, ...(range === undefined ? {} : { range }) }
    }),
  )
  // Descriptors whose blocks bitcoind could not read, or not to the end, it lists like any others: that it could, a label says, by their
  // checksums (BIP-380).
  const label = `watches ${wanted.map(({ desc }) => desc.slice(-8)).join(' ')}`
  if (!(await ask(textsAnswer, 'listlabels')).includes(label)) {
    // bitcoind widens a range as its addresses are used, and then refuses one that is narrower.
    const { descriptors: known } = await ask(descriptorListAnswer, 'listdescriptors')
    const imports = wanted.map((one) => {
      const held = known.find(({ desc }) => desc === one.desc)?.range
      const range = one.range === undefined ? undefined : widest(one.range, held)
      return range === undefined ? one : { ...one, range }
    })
    checkImported(await ask(importAnswer, 'importdescriptors', imports))
    const [address] = await ask(textsAnswer, 'deriveaddresses', wanted[0]?.desc)
    await wallet.call('setlabel', address, label)
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

function widest(range: Range, held: Range | undefined): Range {
  if (held === undefined) return range
  return [Math.min(range[0], held[0]), Math.max(range[1], held[1])]
}

function checkImported(imported: z.infer<typeof importAnswer>): void {
  const failed = imported.find(({ success }) => !success)
  if (failed === undefined) return
  const { code, message } = failed.error ?? { code: null, message: 'no reason given' }
  if (code !== MISC_ERROR) throw new NodeError('node_malformed', `importdescriptors: ${message}`)
  throw new NodeError(
    'block_pruned',
    `coins of ours may be in blocks that the node can't read: connect one that has them (${message})`,
  )
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
