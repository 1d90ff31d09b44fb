import type { Node } from '../../anchor/node.ts'
import { NodeError } from '../../anchor/node-error.ts'
import { RpcError } from '../../anchor/rpc-error.ts'
import type { Coordinator } from '../coordinator/coordinator.ts'
import { type Reading, reading } from './reading.ts'

/** Prometheus gives a scrape 10 s: a node that hangs must not cost the rest of the page. */
const NODE_LIMIT_MS = 2_000

/** The node as it answers now, and how far behind it the last whole round is. */
export async function nodeReadings({ node, advancedTo, lastError }: Coordinator): Promise<Reading[]> {
  const chain = await chainInTime(node)
  const height = advancedTo()
  const lag = chain === null || height === null ? null : chain.height - height
  return [
    reading('assay_node_up', '1 when bitcoind answers and serves the configured network.', chain !== null),
    reading('assay_node_height', "Height of bitcoind's tip.", chain?.height ?? null),
    reading(
      'assay_node_syncing',
      '1 while bitcoind is in initial block download.',
      chain?.initialBlockDownload ?? null,
    ),
    reading('assay_height', 'Height that the last whole round saw.', height),
    reading('assay_chain_lag_blocks', "Blocks of bitcoind's that no whole round has seen yet.", lag),
    reading('assay_round_failing', '1 while the last round has failed.', lastError() !== null),
  ]
}

/** Null when the node doesn't answer in time, or serves another chain. */
async function chainInTime(node: Node): Promise<Awaited<ReturnType<Node['chain']>> | null> {
  const late = Promise.withResolvers<null>()
  const timer = setTimeout(late.resolve, NODE_LIMIT_MS, null)
  try {
    return await Promise.race([node.chain(), late.promise])
  } catch (error) {
    if (error instanceof RpcError || error instanceof NodeError) return null
    throw error
  } finally {
    clearTimeout(timer)
  }
}
