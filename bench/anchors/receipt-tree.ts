import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { MerkleTree } from 'merkletreejs'
import { checkPath, receiptLeaf } from '../../compute/work/receipt-path.ts'
import { buildReceiptTree } from '../../compute/work/receipt-tree.ts'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import { medianSeconds, sideBySide } from '../measure.ts'
import { type Bar, type Row, rowOf } from '../row.ts'

const LEAVES = 1_000_000
const MAX_SECONDS_BEYOND_LEAVES = 1.5
const COMPARED_LEAVES = 100_000
const MIN_RATIO = 20

export async function* receiptTree(): AsyncGenerator<Row> {
  const ids = Array.from({ length: LEAVES }, (_, i) => hash('sha256', `receipt ${i}`, 'buffer'))
  const leaves = ids.map(receiptLeaf)
  assertProves(leaves)
  yield rowOf({
    name: `tree and every proof of ${LEAVES} receipts, beside hashing the leaves`,
    value: await medianSeconds(() => proveAll(leaves)),
    unit: 's',
    baseline: await medianSeconds(() => ids.map(receiptLeaf)),
    bar: { on: 'value', is: '≤', bound: MAX_SECONDS_BEYOND_LEAVES },
  })
  const compared = leaves.slice(0, COMPARED_LEAVES)
  yield await besideMerkletreejs('as it comes', compared, undefined, {
    on: 'ratio',
    is: '≥',
    bound: MIN_RATIO,
  })
  yield await besideMerkletreejs("given node:crypto's hash", compared, sha256)
}

/** Its proofs by index, as ours: by leaf, it searches all of them for each. */
async function besideMerkletreejs(
  which: string,
  leaves: readonly Uint8Array[],
  hashFunction?: (bytes: Buffer) => Uint8Array,
  bar?: Bar,
): Promise<Row> {
  const theirLeaves = leaves.map((leaf) => Buffer.from(leaf))
  assert(new MerkleTree(theirLeaves, hashFunction).getRoot().equals(buildReceiptTree(leaves).root))
  const { oursSeconds, baselineSeconds } = await sideBySide(
    () => proveAll(leaves),
    () => {
      const tree = new MerkleTree(theirLeaves, hashFunction)
      theirLeaves.forEach((leaf, index) => void tree.getProof(leaf, index))
    },
  )
  return rowOf({
    name: `tree and every proof of ${leaves.length} receipts, beside merkletreejs ${which}`,
    value: leaves.length / oursSeconds,
    unit: 'receipts/s',
    baseline: leaves.length / baselineSeconds,
    ...(bar === undefined ? {} : { bar }),
  })
}

function proveAll(leaves: readonly Uint8Array[]): void {
  const tree = buildReceiptTree(leaves)
  for (let index = 0; index < leaves.length; index += 1) tree.path(index)
}

/** Paths of first, last and some between lead to the root. */
function assertProves(leaves: readonly Uint8Array[]): void {
  const tree = buildReceiptTree(leaves)
  for (const [index, leaf] of leaves.entries()) {
    if (index % 9_973 !== 0 && index !== leaves.length - 1) continue
    const root = checkPath(leaf, index, leaves.length, tree.path(index))
    assert.equal(Buffer.compare(root, tree.root), 0)
  }
}
