import { fastMerkleRoot } from 'bitcoinjs-lib/src/merkle'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { doubleSha256 } from '../../anchor/block-header.ts'
import { type Branch, BranchError, checkBranch, proveTransaction } from '../../anchor/merkle-branch.ts'

const refusal = (code: string) => expect.objectContaining({ name: 'BranchError', code })
const txidsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => doubleSha256(Buffer.from(`transaction ${i}`)).toString('hex'))
const internal = (hex: string) => Buffer.from(hex, 'hex').reverse()
const rootOf = (txids: string[]) => new Uint8Array(fastMerkleRoot(txids.map(internal), doubleSha256))

/** Bitcoin main chain, block 100,000: its four transactions and the Merkle root of its header. */
const BLOCK_100000 = {
  txids: [
    '8c14f0db3df150123e6f3dbbf30f8b955a8249b62ac1d1ff16284aefa3d06d87',
    'fff2525b8931402dd09222c50775608f75787bd2b87e56995a7bdd30f79702c4',
    '6359f0868171b1d194cbee1af2f16ea598ae8fad666d9b012c8ed2b79a236ec4',
    'e9a66845e05d5abc0ad04ec80f774a7e585c6e8db975962d069a522137b80c1d',
  ],
  merkleRoot: 'f3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766',
}

describe('a Merkle branch', () => {
  it.each([0, 1, 2, 3])('proves transaction %i of block 100,000', (position) => {
    const { txids, merkleRoot } = BLOCK_100000
    const branch = proveTransaction(txids, position)
    expect(branch.position).toBe(position)
    expect(branch.siblings.length).toBe(2)
    expect(Buffer.from(checkBranch(txids[position] ?? '', branch))).toEqual(internal(merkleRoot))
  })

  it('leads to the root that bitcoinjs computes, from every transaction of blocks of every small size', () => {
    for (let count = 1; count <= 33; count++) {
      const txids = txidsOf(count)
      const root = rootOf(txids)
      for (const [position, txid] of txids.entries()) {
        expect(checkBranch(txid, proveTransaction(txids, position))).toEqual(root)
      }
    }
  })

  it('of the only transaction in a block is empty: its txid is the root', () => {
    const [txid = ''] = txidsOf(1)
    const branch = proveTransaction([txid], 0)
    expect(branch).toEqual({ position: 0, siblings: [] })
    expect(checkBranch(txid, branch)).toEqual(new Uint8Array(internal(txid)))
  })

  it('leads elsewhere, or is refused, when any bit, level or position of it changes', () => {
    const cases = fc.record({ count: fc.integer({ min: 2, max: 40 }), seed: fc.nat(), bit: fc.nat() })
    fc.assert(
      fc.property(cases, ({ count, seed, bit }) => {
        const txids = txidsOf(count)
        const position = seed % count
        const [txid = '', root] = [txids[position], rootOf(txids)]
        const { siblings } = proveTransaction(txids, position)
        const level = bit % siblings.length
        const flipped = siblings.map((sibling, i) => {
          const at = bit % 32
          return i === level ? sibling.with(at, (sibling[at] ?? 0) ^ (1 << (bit % 8))) : sibling
        })
        const others: Branch[] = [
          { position, siblings: flipped },
          { position: position >> 1, siblings: siblings.slice(1) },
          { position, siblings: siblings.slice(0, -1) },
          ...siblings.map((_, i) => ({ position: position ^ (1 << i), siblings })),
        ]
        for (const other of others) expect(leadsTo(root, txid, other)).toBe(false)
      }),
    )
  })

  it('does not prove an odd transaction at the place of its copy (CVE-2012-2459)', () => {
    const txids = txidsOf(3)
    const { siblings } = proveTransaction(txids, 2)
    expect(checkBranch(txids[2] ?? '', { position: 2, siblings })).toEqual(rootOf(txids))
    expect(() => checkBranch(txids[2] ?? '', { position: 3, siblings })).toThrow(refusal('branch_duplicate'))
    expect(() => proveTransaction(txids, 3)).toThrow(/no transaction 3/)
  })
})

describe('checkBranch', () => {
  const [txid = '', other = ''] = txidsOf(2)
  const sibling = new Uint8Array(internal(other))

  it.each([
    ['a position beyond the siblings', 'branch_position', txid, { position: 2, siblings: [sibling] }],
    ['a position without siblings', 'branch_position', txid, { position: 1, siblings: [] }],
    ['a negative position', 'branch_position', txid, { position: -1, siblings: [sibling] }],
    ['half a position', 'branch_position', txid, { position: 0.5, siblings: [sibling] }],
    ['a short sibling', 'branch_sibling', txid, { position: 0, siblings: [sibling.slice(1)] }],
    ['a long sibling', 'branch_sibling', txid, { position: 0, siblings: [new Uint8Array(33)] }],
    [
      '16 siblings',
      'branch_too_deep',
      txid,
      { position: 0, siblings: Array.from({ length: 16 }, () => sibling) },
    ],
    ['a short txid', 'txid_malformed', txid.slice(2), { position: 0, siblings: [] }],
    ['a txid in upper case', 'txid_malformed', txid.toUpperCase(), { position: 0, siblings: [] }],
    ['no txid', 'txid_malformed', '', { position: 0, siblings: [] }],
  ])('refuses %s', (_, code, id, branch) => {
    expect(() => checkBranch(id, branch)).toThrow(refusal(code))
  })

  it('takes 15 siblings', () => {
    const siblings = Array.from({ length: 15 }, () => sibling)
    expect(checkBranch(txid, { position: 32_767, siblings }).length).toBe(32)
  })
})

describe('proveTransaction', () => {
  it('refuses more transactions than a block can hold, and asserts that there is one at the position', () => {
    const txids = Array.from({ length: 32_769 }, () => '00'.repeat(32))
    expect(() => proveTransaction(txids, 0)).toThrow(refusal('branch_too_deep'))
    for (const position of [-1, 2, 0.5]) {
      expect(() => proveTransaction(txidsOf(2), position)).toThrow(/no transaction/)
    }
    expect(() => proveTransaction([], 0)).toThrow(/no transaction/)
    expect(() => proveTransaction(['00'], 0)).toThrow(refusal('txid_malformed'))
  })
})

function leadsTo(root: Uint8Array, txid: string, branch: Branch): boolean {
  try {
    return Buffer.compare(checkBranch(txid, branch), root) === 0
  } catch (error) {
    if (error instanceof BranchError) return false
    throw error
  }
}
