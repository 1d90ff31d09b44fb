import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NodeError } from '../../anchor/node-error.ts'
import { connectRpc } from '../../anchor/rpc.ts'
import { RpcError } from '../../anchor/rpc-error.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { mineEmpty, openSite, type Site, youngNode } from './anchor-site.ts'
import { expectWhole } from './expect-whole.ts'
import { FAULTS, type Fault, type FaultyProxy, openFaultyProxy } from './faulty-proxy.ts'

/** Above what a call takes on a busy machine, and soon enough for dozens of calls that hang. */
const HANG_TIMEOUT_MS = 1_000
/** Where no call hangs, none may be taken for one. */
const TIMEOUT_MS = 60_000
/** One advance makes about a dozen calls; far more would be a loop. */
const MAX_CALLS = 40

let bitcoind: RegtestNode

beforeAll(async () => {
  bitcoind = await startBitcoind()
})

afterAll(() => bitcoind?.stop())

/** An anchorer whose calls go through a proxy. */
async function openFaulty(site: Site, timeoutMs: number) {
  const proxy = await openFaultyProxy(bitcoind.rpcUrl)
  const rpc = connectRpc({ url: proxy.url, cookieFile: bitcoind.cookieFile, timeoutMs })
  const anchorer = site.open({ node: youngNode(rpc) })

  /** Whatever the node's answers are, what comes out of it is an error that names them, or a stall. */
  async function advance(): Promise<void> {
    await anchorer.advance().catch((error: unknown) => {
      if (!(error instanceof RpcError) && !(error instanceof NodeError)) throw error
    })
  }

  return {
    proxy,
    anchorer,
    advance,
    async [Symbol.asyncDispose]() {
      rpc.close()
      await proxy[Symbol.asyncDispose]()
    },
  }
}

/** The fault at the n-th call from now, once. */
function failAt(proxy: FaultyProxy, n: number, fault: Fault): { reached: () => boolean } {
  let calls = 0
  proxy.meet(() => {
    calls++
    return calls === n ? fault : null
  })
  return { reached: () => calls >= n }
}

describe('an RPC call', () => {
  it.each(FAULTS)(
    'that meets "%s", whichever it is, costs no checkpoint and no second anchor',
    async (fault) => {
      using site = await openSite(bitcoind, { policy: { dayCapSats: 1_000_000n } })
      await using faulty = await openFaulty(site, fault === 'hang' ? HANG_TIMEOUT_MS : TIMEOUT_MS)
      const { proxy, anchorer, advance } = faulty
      for (let call = 1; ; call++) {
        expect(call).toBeLessThan(MAX_CALLS)
        site.grow(1)
        anchorer.request()
        // Every other time the anchor is begun before, and misses its block: the fault meets a replacement.
        if (call % 2 === 0) {
          await anchorer.advance()
          await mineEmpty(bitcoind)
          site.grow(1)
        }
        const { reached } = failAt(proxy, call, fault)
        await advance()
        const isOver = !reached()
        proxy.meet(() => null)
        await anchorer.advance()
        await bitcoind.mine(1)
        await anchorer.advance()
        if (isOver && call % 2 === 0) break
      }
      await expectWhole(site, anchorer)
    },
  )

  const step = fc.record({
    act: fc.constantFrom('nothing', 'grow', 'mine', 'mine', 'mine empty', 'reorg'),
    // Hanging is left to the test above: here it would only cost time.
    faults: fc.array(fc.constantFrom(null, null, null, 'error_500', 'drop_before', 'drop_after'), {
      maxLength: 20,
    }),
  })

  it('may fail again and again, while blocks come and go', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 12 }), async (steps) => {
        using site = await openSite(bitcoind)
        await using faulty = await openFaulty(site, TIMEOUT_MS)
        const { proxy, anchorer, advance } = faulty
        const { height: start } = await site.node.chain()
        for (const { act, faults } of steps) {
          const { height } = await site.node.chain()
          if (act === 'grow') site.grow(1)
          if (act === 'mine') await bitcoind.mine(1)
          if (act === 'mine empty') await mineEmpty(bitcoind)
          if (act === 'reorg' && height > start) await bitcoind.reorg(Math.min(3, height - start))
          const left = [...faults]
          proxy.meet(() => left.shift() ?? null)
          await advance()
        }
        proxy.meet(() => null)
        site.grow(1)
        anchorer.request()
        for (let round = 0; round < 3; round++) {
          await anchorer.advance()
          await bitcoind.mine(1)
        }
        await anchorer.advance()
        await expectWhole(site, anchorer)
      }),
      { numRuns: 12 },
    )
  })
})
