import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { watchChain } from '../../anchor/chain-watch.ts'
import { type ChainTip, type Node, openNode } from '../../anchor/node.ts'
import { RpcError } from '../../anchor/rpc-error.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'

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

/** Collects what a watch tells, and lets a test wait for it. */
function listener<T>() {
  const heard: T[] = []
  let wake = () => {}
  return {
    heard,
    hear(value: T) {
      heard.push(value)
      wake()
    },
    async until(isIt: (value: T) => boolean): Promise<T> {
      for (;;) {
        const found = heard.find(isIt)
        if (found !== undefined) return found
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}

function fail(error: unknown): void {
  throw error
}

it('tells the tip at the start, and each new one by polling', async () => {
  const tips = listener<ChainTip>()
  await using _watch = watchChain({ node, pollMs: SOON_MS, onTip: tips.hear, onError: fail })
  const { hash: first } = await node.chain()
  await tips.until((tip) => tip.hash === first)
  const [next] = await bitcoind.mine(1)
  await tips.until((tip) => tip.hash === next)
})

it('tells a new tip by ZMQ long before the next poll', async () => {
  const tips = listener<ChainTip>()
  const { zmqUrl } = bitcoind
  await using _watch = watchChain({ node, zmqUrl, pollMs: NEVER_MS, onTip: tips.hear, onError: fail })
  const { height } = await node.chain()
  await tips.until((tip) => tip.height === height)
  // The subscription reaches the node at some time after it was asked for: mine until a block is told of.
  const told = tips.until((tip) => tip.height > height)
  let isTold = false
  const noted = told.then(() => {
    isTold = true
  })
  while (!isTold) {
    await bitcoind.mine(1)
    await Promise.race([noted, delay(SOON_MS)])
  }
  const { connected } = await bitcoind.reorg(2)
  await tips.until((tip) => tip.hash === connected.at(-1))
})

it('reports a node that does not answer, and goes on when it is back', async () => {
  const tips = listener<ChainTip>()
  const errors = listener<unknown>()
  await using _watch = watchChain({ node, pollMs: SOON_MS, onTip: tips.hear, onError: errors.hear })
  await tips.until(() => true)
  const restarted = bitcoind.restart()
  await errors.until((error) => error instanceof RpcError)
  await restarted
  const [next] = await bitcoind.mine(1)
  await tips.until((tip) => tip.hash === next)
})

it('says once that looks fail, and again when they do after one that did not', async () => {
  const looks = listener<'failed' | 'succeeded'>()
  let isAway = false
  const chain: Node['chain'] = async () => {
    looks.hear(isAway ? 'failed' : 'succeeded')
    if (isAway) throw new Error('away')
    return node.chain()
  }
  const errors = listener<unknown>()
  await using _watch = watchChain({
    node: { ...node, chain },
    pollMs: SOON_MS,
    onTip: () => {},
    onError: errors.hear,
  })
  for (const times of [1, 2]) {
    isAway = true
    for (let failed = 0; failed < 3; failed += 1) {
      looks.heard.length = 0
      await looks.until((look) => look === 'failed')
    }
    isAway = false
    looks.heard.length = 0
    await looks.until((look) => look === 'succeeded')
    expect(errors.heard).toHaveLength(times)
  }
})

it('goes on polling when the ZMQ address is none', async () => {
  const tips = listener<ChainTip>()
  const errors = listener<unknown>()
  await using _watch = watchChain({
    node,
    zmqUrl: 'nonsense',
    pollMs: SOON_MS,
    onTip: tips.hear,
    onError: errors.hear,
  })
  await errors.until(() => true)
  const [next] = await bitcoind.mine(1)
  await tips.until((tip) => tip.hash === next)
})

it('is silent once it is disposed of or aborted', async () => {
  const tips = listener<ChainTip>()
  const abort = new AbortController()
  const { zmqUrl } = bitcoind
  const options = { node, zmqUrl, pollMs: 1, onTip: tips.hear, onError: fail }
  const disposed = watchChain(options)
  const aborted = watchChain({ ...options, signal: abort.signal })
  await using _stillborn = watchChain({ ...options, signal: AbortSignal.abort() })
  await tips.until(() => true)
  await disposed[Symbol.asyncDispose]()
  await disposed[Symbol.asyncDispose]()
  abort.abort()
  await aborted[Symbol.asyncDispose]()
  const told = tips.heard.length
  await bitcoind.mine(1)
  await node.chain()
  expect(tips.heard).toHaveLength(told)
})
