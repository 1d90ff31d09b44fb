import { expect, it } from 'vitest'
import { startBitcoind } from '../../regtest/start-bitcoind.ts'
import { anchorNext, openSite } from './anchor-site.ts'
import { expectProof, expectWhole } from './expect-whole.ts'

it('a node with -prune=550 and no txindex suffices, through a restart and a reorg', async () => {
  await using bitcoind = await startBitcoind({ extraArgs: ['-prune=550'] })
  using site = await openSite(bitcoind)
  expect(await site.node.chain()).toMatchObject({ pruned: true })
  expect(await bitcoind.rpc.call('getindexinfo')).toEqual({})
  const anchorer = site.open()
  for (let round = 0; round < 4; round++) await anchorNext(bitcoind, site, anchorer)
  await bitcoind.restart()
  await bitcoind.reorg(3)
  const reopened = site.open()
  await reopened.advance()
  await bitcoind.mine(1)
  await reopened.advance()
  await expectWhole(site, reopened)
})

it('a final proof verifies when the node has pruned its block, and the next anchor is made', async () => {
  // Small block files make pruning of so short a chain possible; a pruned node keeps 288 blocks.
  await using bitcoind = await startBitcoind({ extraArgs: ['-prune=1', '-fastprune'] })
  using site = await openSite(bitcoind)
  const anchorer = site.open()
  await anchorNext(bitcoind, site, anchorer)
  await bitcoind.mine(900)
  const { height } = await site.node.chain()
  await bitcoind.rpc.call('pruneblockchain', height - 300)
  const [first] = anchorer.anchors()
  if (first?.blockHash == null) throw new Error('not mined')
  await expect(site.node.blockTxids(first.blockHash)).rejects.toMatchObject({ code: 'block_pruned' })

  const reopened = site.open()
  await anchorNext(bitcoind, site, reopened)
  const [final, next] = reopened.anchors()
  if (final === undefined || next === undefined) throw new Error('two anchors')
  expect([final.state, next.state]).toEqual(['final', 'mined'])
  await expectProof(site, final, site.firstSeal)
  await expectProof(site, next, { txid: first.txid ?? '', vout: 0 })
})
