import { createCipheriv, createHash } from 'node:crypto'

const BLOCK_BYTES = 65_536
const VALUE_BYTES = 4

/** The same numbers in [0, 1) on every machine: the AES-128-CTR key stream under the seed's hash. Not for secrets. */
export function seededRandom(seed: string): () => number {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16)
  const cipher = createCipheriv('aes-128-ctr', key, new Uint8Array(16))
  const zeros = new Uint8Array(BLOCK_BYTES)
  let block = Buffer.alloc(0)
  let offset = 0
  return () => {
    if (offset === block.length) {
      block = cipher.update(zeros)
      offset = 0
    }
    const value = block.readUInt32LE(offset)
    offset += VALUE_BYTES
    return value / 2 ** 32
  }
}
