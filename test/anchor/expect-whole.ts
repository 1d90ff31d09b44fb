import { Transaction } from 'bitcoinjs-lib'
import { expect } from 'vitest'
import type { AnchorRecord } from '../../anchor/anchor-record.ts'
import type { Anchorer } from '../../anchor/anchorer.ts'
import { headerHash, parseHeader } from '../../anchor/block-header.ts'
import { checkAnchorTransaction } from '../../anchor/check-anchor-transaction.ts'
import { sealScript } from '../../anchor/commitment.ts'
import { spenderIn } from '../../anchor/find-spender.ts'
import { checkBranch } from '../../anchor/merkle-branch.ts'
import { hex, type Site } from './anchor-site.ts'

/**
 * What must hold once everything is mined, whatever happened before: the anchors that the blocks show, followed from
 * the first seal, are those that the database has; each proof verifies from what is stored; no payload was anchored
 * twice; and the last anchor covers the whole log.
 */
export async function expectWhole(site: Site, anchorer: Anchorer): Promise<void> {
  const anchors = anchorer.anchors()
  expect(anchors.map(({ index }) => index)).toEqual(anchors.map((_, index) => index))
  expect(await anchorsInBlocks(site)).toEqual(anchors.map(({ txid }) => txid))
  expect(new Set(anchors.map(({ payload }) => hex(payload))).size).toBe(anchors.length)
  let spends: { txid: string; vout: number } = site.firstSeal
  for (const anchor of anchors) {
    await expectProof(site, anchor, spends)
    spends = { txid: anchor.txid ?? '', vout: 0 }
  }
  const sizes = anchors.map(({ size }) => size)
  expect(sizes).toEqual(sizes.toSorted((a, b) => a - b))
  expect(sizes.at(-1)).toBe(site.size())
}

/** One anchor's proof, from its record alone; the node is asked only whether it has that header at that height. */
export async function expectProof(
  { node, method, internalKey }: Site,
  { raw, txid, payload, header, branch, height, blockHash }: AnchorRecord,
  spends: { txid: string; vout: number },
): Promise<void> {
  if (raw === null || txid === null || header === null || branch === null || height === null)
    throw new Error('not mined')
  const checked = checkAnchorTransaction(raw, { method, internalKey, spends, payload })
  expect(checked.txid).toBe(txid)
  const [output] = Transaction.fromBuffer(raw).outs
  expect(hex(output?.script)).toBe(hex(sealScript(internalKey, payload)))
  expect(hex(checkBranch(txid, branch))).toBe(hex(parseHeader(header).merkleRoot))
  expect(headerHash(header)).toBe(blockHash)
  expect(await node.blockHash(height)).toBe(blockHash)
}

/** Read from the blocks alone: who spent the first seal, who spent that one's output 0, and so on. */
async function anchorsInBlocks({ node, firstSeal }: Site): Promise<string[]> {
  const { height: tip } = await node.chain()
  const first = await node.txOut(firstSeal, { mempool: false })
  if (first !== null) return []
  const txids: string[] = []
  let seal: { txid: string; vout: number } = firstSeal
  for (let height = 0; height <= tip; height++) {
    const block = await node.blockAt(height)
    for (
      let raw = block && spenderIn(block, seal);
      block !== null && raw !== null;
      raw = spenderIn(block, seal)
    ) {
      seal = { txid: Transaction.fromBuffer(raw).getId(), vout: 0 }
      txids.push(seal.txid)
    }
  }
  return txids
}
