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
  return readHeaders(node, 0, tip + 1, (height) => onProgress(height, tip))
}

/** `count` headers from `from` on, which must be in the node's chain. */
export async function readHeaders(
  node: Node,
  from: number,
  count: number,
  onHeader: (height: number) => void = () => undefined,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(count * HEADER_BYTES)
  for (let first = 0; first < count; first += IN_FLIGHT) {
    const places = Array.from({ length: Math.min(IN_FLIGHT, count - first) }, (_, i) => first + i)
    await Promise.all(
      places.map(async (place) => {
        const hash = await node.blockHash(from + place)
        if (hash === null) throw new Error(`the chain shrank below block ${from + place} while it was read`)
        bytes.set(await node.header(hash), place * HEADER_BYTES)
        onHeader(from + place)
      }),
    )
  }
  return bytes
}
