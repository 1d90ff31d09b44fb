import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseAddress } from '../../anchor/address.ts'
import type { PayoutOutput } from '../../anchor/payout-record.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { mineEmpty, openDatabase, youngNode } from './anchor-site.ts'
import { openTreasury, payees } from './payer-treasury.ts'

const CHILD = fileURLToPath(new URL('./dying-payer.ts', import.meta.url))
/** A payout makes about a dozen calls; far more would be a loop. */
const MAX_MOMENTS = 60

let bitcoind: RegtestNode
beforeAll(async () => {
  bitcoind = await startBitcoind()
})
afterAll(() => bitcoind?.stop())

async function run(task: unknown): Promise<{ code: number | null; signal: string | null }> {
  const text = JSON.stringify(task, (_, value) => (typeof value === 'bigint' ? `${value}` : value))
  const child = spawn(process.execPath, [CHILD, text], { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code, signal] = await once(child, 'exit')
  return { code, signal }
}

async function outputsOf({ address }: PayoutOutput): Promise<bigint[]> {
  const script = Buffer.from(parseAddress(address, 'regtest').script).toString('hex')
  const scan: unknown = await bitcoind.rpc.call('scantxoutset', 'start', [`raw(${script})`])
  return Object(scan).unspents.map(({ amount }: { amount: unknown }) =>
    BigInt(Math.round(Number(amount) * 1e8)),
  )
}

it.each([
  ['from pin to broadcast', false],
  ['while it is bumped', true],
])('pays each payout exactly once, killed before and after every step %s', async (_, isBump) => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'assay-payer-'))
  const dbFile = join(folder.path, 'payer.sqlite')
  const db = openDatabase(dbFile)
  db.exec('CREATE TABLE intent (id TEXT PRIMARY KEY)')
  using treasury = await openTreasury(bitcoind)
  const { rpcUrl, cookieFile } = bitcoind
  const secretKey = Buffer.from(treasury.secretKey).toString('hex')
  const node = youngNode(bitcoind.rpc)
  let funded = 0n
  let paid = 0n
  let payout = 0
  for (let dieAt = 1; ; dieAt++, payout++) {
    expect(dieAt).toBeLessThan(MAX_MOMENTS)
    const coin = { ...(await bitcoind.fund(treasury.address, 50_000n)), valueSats: 50_000n, keyIndex: 0 }
    funded += coin.valueSats
    treasury.coins.splice(0, Number.POSITIVE_INFINITY, coin)
    const id = `payout ${payout}`
    const outputs = payees(10_000n, 5_000n)
    const task = { dbFile, rpcUrl, cookieFile, secretKey, id, coins: treasury.coins, outputs }
    if (isBump) {
      expect(await run({ ...task, dieAt: 0 })).toMatchObject({ code: 0 })
      await mineEmpty(bitcoind)
    }
    const { code, signal } = await run({ ...task, dieAt })
    const payer = treasury.open({ db, node, policy: { targetBlocks: 1 } })
    await payer.pin(id, 15_000n, () => db.prepare('INSERT INTO intent (id) VALUES (?)').run(id))
    await payer.prepare(id, outputs)
    await payer.advance()
    for (let block = 0; block < 3; block++) {
      await bitcoind.mine(1)
      await payer.advance()
    }
    const record = payer.payouts().at(-1)
    expect(record).toMatchObject({ id, state: 'settled', inputs: [coin], outputs })
    for (const output of outputs) expect(await outputsOf(output)).toEqual([output.valueSats])
    paid += 15_000n + (record?.feeSats ?? 0n)
    if (isBump) expect(record?.attempts).toHaveLength(2)
    if (code === 0) break
    expect(signal).toBe('SIGKILL')
  }
  expect(payout).toBeGreaterThan(10)
  // An intent stands for each payout and for none else.
  expect(db.prepare('SELECT count(*) FROM intent').pluck().get()).toBe(BigInt(payout + 1))
  const left = await outputsOf({ address: treasury.address, valueSats: 0n })
  expect(left.reduce((sum, value) => sum + value, 0n)).toBe(funded - paid)
  db.close()
})
