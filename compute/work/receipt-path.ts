/** What a checker of one path needs of the receipt tree: plain SHA-256, without the native hasher that builds trees. */
import { sha256, taggedHash } from './tagged-hash.ts'

export const HASH_BYTES = 32
/** 20 levels; far above a submission's 65,536, and positions stay 32-bit integers. */
export const MAX_LEAVES = 1 << 20

export class TreePathError extends Error {
  readonly code = 'path_malformed'

  constructor(detail: string) {
    super(`receipt tree path: ${detail}`)
    this.name = 'TreePathError'
  }
}

export function receiptLeaf(receiptId: Uint8Array): Uint8Array {
  return taggedHash('assay/receipt', receiptId)
}

/** The root that `path` leads to from `leaf`; the caller compares it. Refuses a path of another length. */
export function checkPath(
  leaf: Uint8Array,
  index: number,
  count: number,
  path: readonly Uint8Array[],
): Uint8Array {
  if (!Number.isInteger(count) || count < 1 || count > MAX_LEAVES) {
    throw new TreePathError(`count ${count} is not 1 to ${MAX_LEAVES}`)
  }
  if (!Number.isInteger(index) || index < 0 || index >= count) {
    throw new TreePathError(`index ${index} is not below count ${count}`)
  }
  if (leaf.length !== HASH_BYTES || path.some((sibling) => sibling.length !== HASH_BYTES)) {
    throw new TreePathError(`a hash is not ${HASH_BYTES} bytes`)
  }
  const siblings = path.values()
  let node = leaf
  let position = index
  for (let width = count; width > 1; width = (width + 1) >> 1) {
    if ((position ^ 1) < width) {
      const { value: sibling } = siblings.next()
      if (sibling === undefined) throw new TreePathError('too short')
      node = sha256(Buffer.concat(position & 1 ? [sibling, node] : [node, sibling]))
    }
    position >>= 1
  }
  if (siblings.next().done !== true) throw new TreePathError('too long')
  return node
}
