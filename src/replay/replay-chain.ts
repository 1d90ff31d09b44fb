import { headerHash } from '../../anchor/block-header.ts'
import type { Node } from '../../anchor/node.ts'
import { txidBytes } from '../log/txid.ts'
import type { headersFromFile } from '../proof/headers-from-file.ts'
import type { ReplayChain } from './replay-source.ts'

/** As the node has it now. Throws RpcError, NodeError. */
export async function chainOfNode(node: Node): Promise<ReplayChain> {
  const { height: tipHeight } = await node.chain()
  const blockHash = async (height: number) => {
    const hash = await node.blockHash(height)
    return hash === null ? null : txidBytes(hash)
  }
  return { tipHeight, node, blockHash: rememberingUpTo(tipHeight, blockHash) }
}

/** Beacons without coins: of checked headers from block 0 on, as headersFromFile has them. */
export function chainOfHeaders({
  chain,
  headerAt,
}: Awaited<ReturnType<typeof headersFromFile>>): ReplayChain {
  const blockHash = async (height: number) => {
    const header = headerAt(height)
    return header === null ? null : txidBytes(headerHash(header))
  }
  return { tipHeight: chain.tipHeight, node: null, blockHash: rememberingUpTo(chain.tipHeight, blockHash) }
}

/** Every submission under one anchor asks for the same beacon. Heights come from the log: only real ones are passed on. */
function rememberingUpTo(tipHeight: number, blockHash: ReplayChain['blockHash']): ReplayChain['blockHash'] {
  const known = new Map<number, Uint8Array | null>()
  return async (height) => {
    if (height < 0 || height > tipHeight) return null
    const found = known.get(height) ?? (await blockHash(height))
    known.set(height, found)
    return found
  }
}
