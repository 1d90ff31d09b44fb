import type { Node } from '../../anchor/node.ts'
import type { AnchorsFile } from './anchors-file.ts'

/** As many requests in flight as the client has connections. */
const IN_FLIGHT = 8

/** The node's headers at the heights of the anchors, as `headerAt` of checkAnchorChain takes them. Throws RpcError, NodeError. */
export async function headersOf(
  node: Node,
  { anchors }: AnchorsFile,
  onProgress: (done: number, of: number) => void = () => undefined,
): Promise<(height: number) => Uint8Array | null> {
  const heights = [...new Set(anchors.map(({ height }) => height))]
  const headers = new Map<number, Uint8Array>()
  for (let first = 0; first < heights.length; first += IN_FLIGHT) {
    await Promise.all(
      heights.slice(first, first + IN_FLIGHT).map(async (height) => {
        const hash = await node.blockHash(height)
        if (hash !== null) headers.set(height, await node.header(hash))
      }),
    )
    onProgress(headers.size, heights.length)
  }
  return (height) => headers.get(height) ?? null
}
