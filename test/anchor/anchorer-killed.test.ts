import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { openSite } from './anchor-site.ts'

const CHILD = fileURLToPath(new URL('./dying-anchorer.ts', import.meta.url))
/** One advance makes about a dozen calls; far more would be a loop. */
const MAX_MOMENTS = 60

let bitcoind: RegtestNode

beforeAll(async () => {
  bitcoind = await startBitcoind()
})

afterAll(() => bitcoind?.stop())

async function run(task: unknown): Promise<{ code: number | null; signal: string | null }> {
  const child = spawn(process.execPath, [CHILD, JSON.stringify(task)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code, signal] = await once(child, 'exit')
  return { code, signal }
}

it('anchors each checkpoint exactly once, killed before and after every call to the node', async () => {
  using site = await openSite(bitcoind, { method: 'taproot', policy: { dayCapSats: 1_000_000n } })
  const { rpcUrl, cookieFile } = bitcoind
  const { payloadFile, firstSeal } = site
  const seal = { ...firstSeal, valueSats: String(firstSeal.valueSats) }
  const secretKey = Buffer.from(site.secretKey).toString('hex')
  const task = { dbFile: site.db.name, payloadFile, rpcUrl, cookieFile, secretKey, firstSeal: seal }
  let size = 0
  for (let dieAt = 1; ; dieAt++) {
    expect(dieAt).toBeLessThan(MAX_MOMENTS)
    site.grow(1)
    size++
    const { code, signal } = await run({ ...task, size, dieAt })
    const anchorer = site.open()
    await anchorer.advance()
    await bitcoind.mine(1)
    await anchorer.advance()
    const anchors = anchorer.anchors()
    expect(anchors.map(({ index }) => index)).toEqual(Array.from({ length: size }, (_, index) => index))
    expect(anchors.at(-1)).toMatchObject({ size, height: (await site.node.chain()).height })
    if (code === 0) break
    expect(signal).toBe('SIGKILL')
  }
  expect(size).toBeGreaterThan(10)
})
