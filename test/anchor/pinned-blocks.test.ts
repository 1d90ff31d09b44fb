import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Node, openNode } from '../../anchor/node.ts'
import { assertPinned } from '../../anchor/pinned-blocks.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'

let bitcoind: RegtestNode
let node: Node

beforeAll(async () => {
  bitcoind = await startBitcoind()
  node = openNode(bitcoind.rpc, 'regtest')
  await bitcoind.mine(5)
})

afterAll(() => bitcoind?.stop())

async function pinAt(height: number) {
  const hash = await node.blockHash(height)
  if (hash === null) throw new Error(`no block ${height}`)
  return { height, hash }
}

it('a node that has every pinned block is taken, and so is one without pins', async () => {
  expect(await assertPinned(node, [])).toBe(true)
  expect(await assertPinned(node, [await pinAt(4), await pinAt(0), await pinAt(5)])).toBe(true)
})

it('a node that is still below a pinned block waits, up to that very block', async () => {
  const { height } = await node.chain()
  const [next = ''] = await bitcoind.mine(1)
  const pin = { height: height + 1, hash: next }
  expect(await assertPinned(node, [pin])).toBe(true)
  await bitcoind.rpc.call('invalidateblock', next)
  expect(await assertPinned(node, [await pinAt(3), pin])).toBe(false)
  await bitcoind.rpc.call('reconsiderblock', next)
  expect(await assertPinned(node, [pin])).toBe(true)
})

it('a node with another block in a pinned one’s place is refused, also while it is below the next one', async () => {
  const pin = await pinAt(5)
  await bitcoind.reorg((await node.chain()).height - 4)
  const refusal = expect.objectContaining({ name: 'NodeError', code: 'pin_missing' })
  await expect(assertPinned(node, [pin])).rejects.toEqual(refusal)
  await expect(assertPinned(node, [{ height: 1_000, hash: pin.hash }, pin])).rejects.toEqual(refusal)
})
