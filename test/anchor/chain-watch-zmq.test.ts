import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { watchChain } from '../../anchor/chain-watch.ts'
import { type Node, openNode } from '../../anchor/node.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { openSite } from './anchor-site.ts'
import { expectWhole } from './expect-whole.ts'
import { type LossyZmq, openLossyZmq } from './lossy-zmq.ts'

/** Longer than the test: what arrives came by ZMQ. */
const NEVER_MS = 3_600_000
const SOON_MS = 20

let bitcoind: RegtestNode
let node: Node

beforeAll(async () => {
  bitcoind = await startBitcoind()
  await bitcoind.mine(1)
  node = openNode(bitcoind.rpc, 'regtest')
})

afterAll(() => bitcoind?.stop())

/** A watch that hears nothing but what is sent to it, and the tips that it tells. */
async function openDeafWatch(zmq: LossyZmq, pollMs = NEVER_MS) {
  const tips: string[] = []
  let looks = 0
  let wake = () => {}
  const watch = watchChain({
    node: {
      ...node,
      chain() {
        looks++
        return node.chain()
      },
    },
    zmqUrl: zmq.url,
    pollMs,
    onTip: ({ hash }) => {
      tips.push(hash)
      wake()
    },
    onError: (error) => {
      throw error
    },
  })
  async function tell(hash: string): Promise<void> {
    while (!tips.includes(hash)) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  await tell((await node.chain()).hash)
  await zmq.subscribed
  return { looks: () => looks, tell, [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose]() }
}

async function mineOne(): Promise<string> {
  const [hash = ''] = await bitcoind.mine(1)
  return hash
}

describe('ZMQ', () => {
  it('that loses the message of a block shows it by the gap before the next one, of whatever kind', async () => {
    await using zmq = await openLossyZmq()
    await using watch = await openDeafWatch(zmq)
    await zmq.send('A', 1)
    const lost = await mineOne()
    await zmq.send('A', 3)
    await watch.tell(lost)
  })

  it('that delivers in another order than the node sent is looked after, too', async () => {
    await using zmq = await openLossyZmq()
    await using watch = await openDeafWatch(zmq)
    await zmq.send('A', 5)
    const first = await mineOne()
    await zmq.send('A', 4)
    await watch.tell(first)
    const second = await mineOne()
    await zmq.send('R', 6)
    await watch.tell(second)
  })

  it('whose counter runs over, in order, is no gap', async () => {
    await using zmq = await openLossyZmq()
    await using watch = await openDeafWatch(zmq)
    await zmq.send('A', 0xffff_ffff)
    const block = await mineOne()
    await zmq.send('A', 0)
    await zmq.send('A', 1)
    await zmq.send('D', 2)
    await watch.tell(block)
    await node.chain() // by then a look that was still waiting has begun
    expect(watch.looks()).toBe(2) // at the start, and for D
  })

  it('that sends what Bitcoin Core does not is passed over', async () => {
    await using zmq = await openLossyZmq()
    await using watch = await openDeafWatch(zmq)
    await zmq.sendFrames()
    await zmq.sendFrames(Buffer.alloc(33))
    await zmq.sendFrames(Buffer.alloc(33), Buffer.alloc(3))
    await zmq.sendFrames(Buffer.alloc(0), Buffer.alloc(4))
    const block = await mineOne()
    await zmq.send('C', 1)
    await watch.tell(block)
  })

  it('that is silent leaves polling to tell each tip', async () => {
    await using zmq = await openLossyZmq()
    await using watch = await openDeafWatch(zmq, SOON_MS)
    await watch.tell(await mineOne())
    await bitcoind.reorg(1)
    await watch.tell((await node.chain()).hash)
  })

  it('that is silent costs no anchor: an anchorer driven by nothing but the watch makes each', async () => {
    using site = await openSite(bitcoind)
    const anchorer = site.open()
    await using zmq = await openLossyZmq()
    let wake = () => {}
    await using _watch = watchChain({
      node,
      zmqUrl: zmq.url,
      pollMs: SOON_MS,
      onTip: () => {
        anchorer.advance().then(() => wake())
      },
      onError: (error) => {
        throw error
      },
    })
    for (let size = 1; size <= 3; size++) {
      site.grow(1)
      while (anchorer.anchors().findLast(({ state }) => state === 'mined')?.size !== size) {
        const advanced = new Promise<void>((resolve) => {
          wake = resolve
        })
        await bitcoind.mine(1)
        await advanced
      }
    }
    await expectWhole(site, anchorer)
  })
})
