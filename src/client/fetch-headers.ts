import { HEADER_BYTES } from '../../anchor/block-header.ts'
import type { Node } from '../../anchor/node.ts'

/** As many requests in flight as the client has connections. */
const IN_FLIGHT = 8

/** A node's header chain from block 0 to its tip, 80 bytes each. Check it: the node is not believed. */
export async function fetchHeaders(
  node: Node,
  onProgress: (height: number, tip: number) => void = () => undefined,
): Promise<Uint8Array> {
  const { height: tip } = await node.chain()
  const bytes = new Uint8Array((tip + 1) * HEADER_BYTES)
  for (let first = 0; first <= tip; first += IN_FLIGHT) {
    const heights = Array.from({ length: Math.min(IN_FLIGHT, tip + 1 - first) }, (_, i) => first + i)
    await Promise.all(
      heights.map(async (height) => {
        const hash = await node.blockHash(height)
        if (hash === null) throw new Error(`the chain shrank below block ${height} while it was read`)
        bytes.set(await node.header(hash), height * HEADER_BYTES)
        onProgress(height, tip)
      }),
    )
  }
  return bytes
}
