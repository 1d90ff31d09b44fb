import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempDisposableSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseAddress } from '../../anchor/address.ts'
import type { Payer } from '../../anchor/payer.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { openDatabase } from './anchor-site.ts'
import { foreignSpend, never, PAID } from './foreign-spend.ts'
import { onlyPayout, openTreasury, payees, paymentOf } from './payer-treasury.ts'
import { signedPayment } from './signed-payment.ts'

const CHILD = fileURLToPath(new URL('./dying-give-up.ts', import.meta.url))
/** Before and after what is written alongside, and after it all. */
const MOMENTS = 3

let bitcoind: RegtestNode
beforeAll(async () => {
  bitcoind = await startBitcoind()
})
afterAll(() => bitcoind.stop())

/** Two coins, and a payout that needs both. */
async function pinned(db = openDatabase(':memory:')) {
  const treasury = await openTreasury(bitcoind, 100_000n, 90_000n)
  const payer = treasury.open({ db })
  const [coin, other] = await payer.pin('a', 150_000n)
  if (coin === undefined || other === undefined) throw new Error('two coins')
  return { treasury, payer, coin, other }
}

/** A block has it, which the payer names; it is given up. */
async function loseTo({ txid, hex }: { txid: string; hex: string }, payer: Payer): Promise<void> {
  await bitcoind.rpc.call('generateblock', 'raw(51)', [hex])
  await payer.advance()
  expect(onlyPayout(payer).trouble).toMatch(new RegExp(`${txid}.*assay payout void`))
  await bitcoind.mine(2)
  await payer.giveUp('a', PAID, 0, () => undefined)
}

test('a payout is given up once something else has spent its coin for good, never before, and never twice', async () => {
  const { treasury, payer, coin, other } = await pinned()
  using _treasury = treasury
  const refused = (code: string) =>
    expect(payer.giveUp('a', PAID, 0, never), code).rejects.toMatchObject({ name: 'PayerError', code })
  await expect(payer.giveUp('b', PAID, 0, never)).rejects.toMatchObject({ code: 'payout_unknown' })
  await refused('input_unspent')
  const { txid, hex } = foreignSpend(treasury, coin)
  await bitcoind.rpc.call('sendrawtransaction', hex)
  await refused('input_unspent')
  await bitcoind.mine(1)
  await refused('spend_not_final')
  await bitcoind.reorg(1)
  await refused('input_unspent')
  await bitcoind.mine(1)
  const height = await bitcoind.rpc.call('getblockcount')
  await bitcoind.mine(1)
  await refused('spend_not_final')
  await expect(payer.prepare('a', PAID)).rejects.toMatchObject({
    code: 'input_spent',
    message: expect.stringMatching(new RegExp(`${txid}.*assay payout void`)),
  })
  expect(onlyPayout(payer)).toMatchObject({ state: 'pinned', trouble: expect.stringContaining(txid) })
  await bitcoind.mine(1)

  await expect(payer.giveUp('a', PAID, 0, never)).rejects.toThrow('it was given up')
  expect(onlyPayout(payer)).toMatchObject({ state: 'pinned', inputs: [coin, other] })
  await expect(payer.pin('b', 50_000n)).rejects.toMatchObject({ code: 'insufficient_funds' })
  const found = await payer.giveUp('a', PAID, 0, (spends) =>
    spends.map((spend) => ({ ...spend, raw: Buffer.from(spend.raw).toString('hex') })),
  )
  const blockHash = await bitcoind.rpc.call('getblockhash', height)
  expect(found).toEqual([{ txid, height, blockHash, raw: hex }])
  expect(onlyPayout(payer)).toMatchObject({ state: 'voided', trouble: null, inputs: [coin], payment: null })
  await refused('payout_closed')
  await expect(payer.prepare('a', PAID)).rejects.toMatchObject({ code: 'payout_differs' })
  await payer.advance()
  expect(await payer.pin('b', 50_000n)).toEqual([other])
})

test('it is given up with all that have spent its coins, once each of them is final', async () => {
  const { treasury, payer, coin, other } = await pinned()
  using _treasury = treasury
  const first = foreignSpend(treasury, coin)
  const later = foreignSpend(treasury, other)
  await bitcoind.rpc.call('sendrawtransaction', first.hex)
  await bitcoind.mine(3)
  await bitcoind.rpc.call('sendrawtransaction', later.hex)
  const code = () => payer.giveUp('a', PAID, 0, never).catch((error) => error.code)
  expect(await code()).toBe('spend_not_final')
  await bitcoind.mine(1)
  expect(await code()).toBe('spend_not_final')
  await bitcoind.mine(2)
  const height = Number(await bitcoind.rpc.call('getblockcount'))
  const found = await payer.giveUp('a', PAID, 0, (spends) => spends)
  expect(found).toMatchObject([
    { txid: first.txid, height: height - 5 },
    { txid: later.txid, height: height - 2 },
  ])
  expect(found).toHaveLength(2)
  expect(onlyPayout(payer)).toMatchObject({ state: 'voided', inputs: [coin, other] })
  await expect(payer.pin('b', 50_000n)).rejects.toMatchObject({ code: 'insufficient_funds' })
})

test('what has spent the coin is found however many blocks ago, and not below where it is looked for', async () => {
  const { treasury, payer, coin } = await pinned()
  using _treasury = treasury
  const before = Number(await bitcoind.rpc.call('getblockcount'))
  const { txid, hex } = foreignSpend(treasury, coin)
  await bitcoind.rpc.call('sendrawtransaction', hex)
  await bitcoind.mine(300)
  await expect(payer.giveUp('a', PAID, before + 2, never)).rejects.toMatchObject({ code: 'input_unspent' })
  const found = await payer.giveUp('a', PAID, before + 1, (spends) => spends)
  expect(found).toMatchObject([{ txid, height: before + 1 }])
})

test('a payment that is out loses to what a block has of its coin: that is named, and nothing of it stands any more', async () => {
  const { treasury, payer, coin } = await pinned()
  using _treasury = treasury
  await payer.prepare('a', PAID)
  await payer.advance()
  expect(paymentOf(onlyPayout(payer)).txid).toMatch(/^[0-9a-f]{64}$/)
  await loseTo(foreignSpend(treasury, coin), payer)
  expect(onlyPayout(payer)).toMatchObject({
    state: 'voided',
    payment: null,
    child: null,
    feeSats: 0n,
    height: null,
  })
  await payer.advance()
  expect(onlyPayout(payer)).toMatchObject({ state: 'voided', trouble: null })
})

test('a payment that is settled is not given up', async () => {
  const { treasury, payer } = await pinned()
  using _treasury = treasury
  await payer.prepare('a', PAID)
  await payer.advance()
  await bitcoind.mine(3)
  await payer.advance()
  await expect(payer.giveUp('a', PAID, 0, never)).rejects.toMatchObject({ code: 'payout_closed' })
})

test('another input than the pinned one spent elsewhere stops a payment for good as well, and frees the pinned one', async () => {
  const { treasury, payer, coin, other } = await pinned()
  using _treasury = treasury
  const { txid, hex } = foreignSpend(treasury, other)
  await bitcoind.rpc.call('generateblock', 'raw(51)', [hex])
  await expect(payer.prepare('a', PAID)).rejects.toMatchObject({
    code: 'input_spent',
    message: expect.stringContaining(txid),
  })
  await expect(payer.giveUp('a', PAID, 0, never)).rejects.toMatchObject({ code: 'spend_not_final' })
  await bitcoind.mine(2)
  expect(await payer.giveUp('a', PAID, 0, (spends) => spends.map((one) => one.txid))).toEqual([txid])
  expect(onlyPayout(payer)).toMatchObject({ state: 'voided', inputs: [other] })
  expect(await payer.pin('b', 50_000n)).toEqual([coin])
})

test('what pays the list is given up unless it is what the payer itself would have made', async () => {
  const { treasury, payer, coin, other } = await pinned()
  using _treasury = treasury
  const paysThem = (feeSats: bigint, more: bigint[]) => {
    const outputs = [...PAID, ...payees(...more)].map(({ address, valueSats }) => ({
      script: parseAddress(address, 'regtest').script,
      valueSats,
    }))
    const changeScript = parseAddress(treasury.address, 'regtest').script
    const inputs = [coin, other]
    const { raw } = signedPayment({ secretKey: treasury.secretKey, inputs, outputs, changeScript, feeSats })
    return Buffer.from(raw).toString('hex')
  }
  await bitcoind.rpc.call('generateblock', 'raw(51)', [paysThem(1_000n, [])])
  await bitcoind.mine(2)
  await expect(payer.giveUp('a', PAID, 0, never)).rejects.toMatchObject({ code: 'spend_is_payment' })
  await bitcoind.reorg(3)
  await bitcoind.rpc.call('generateblock', 'raw(51)', [paysThem(1_000n, [5_000n])])
  await bitcoind.mine(2)
  await payer.giveUp('a', PAID, 0, () => undefined)
  expect(onlyPayout(payer)).toMatchObject({ state: 'voided', inputs: [coin, other] })
})

test('a signer elsewhere is told that the coin is spent, and of a voided payout there is nothing to sign', async () => {
  using treasury = await openTreasury(bitcoind, 200_000n)
  const payer = treasury.open({ external: true })
  const [coin] = await payer.pin('a', 150_000n)
  if (coin === undefined) throw new Error('a coin')
  await payer.prepare('a', PAID)
  const psbt = payer.unsignedPsbt('a') ?? new Uint8Array()
  expect(psbt.length).toBeGreaterThan(0)
  await loseTo(foreignSpend(treasury, coin), payer)
  expect(payer.unsignedPsbt('a')).toBeNull()
  await expect(payer.importPsbt('a', psbt)).rejects.toMatchObject({ code: 'nothing_to_sign' })
})

test('what is stopped by the kill switch is told as well that its coin is spent', async () => {
  const { treasury, payer, coin } = await pinned()
  using _treasury = treasury
  await payer.prepare('a', PAID)
  payer.stop('a test', 0)
  const { txid, hex } = foreignSpend(treasury, coin)
  await bitcoind.rpc.call('generateblock', 'raw(51)', [hex])
  await payer.advance()
  expect(onlyPayout(payer).trouble).toMatch(new RegExp(`${txid}.*assay payout void`))
})

test('killed before, within and after its one transaction, it is given up whole or not at all, and once', async () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'assay-give-up-'))
  const { rpcUrl, cookieFile } = bitcoind
  for (let dieAt = 1; dieAt <= MOMENTS; dieAt++) {
    const dbFile = join(folder.path, `${dieAt}.sqlite`)
    const db = openDatabase(dbFile)
    db.exec('CREATE TABLE entry (txid TEXT PRIMARY KEY)')
    const { treasury, payer, coin } = await pinned(db)
    using _treasury = treasury
    const { txid, hex } = foreignSpend(treasury, coin)
    await bitcoind.rpc.call('sendrawtransaction', hex)
    await bitcoind.mine(3)
    const secretKey = Buffer.from(treasury.secretKey).toString('hex')
    const task = JSON.stringify({ dbFile, rpcUrl, cookieFile, secretKey, dieAt })
    const child = spawn(process.execPath, [CHILD, task], { stdio: ['ignore', 'ignore', 'inherit'] })
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
    const entries = () => db.prepare('SELECT txid FROM entry').pluck().all()
    const { state, inputs } = onlyPayout(payer)
    expect([state, inputs.length, entries()]).toEqual(
      dieAt === MOMENTS ? ['voided', 1, [txid]] : ['pinned', 2, []],
    )
    const again = payer.giveUp('a', PAID, 0, (spends) =>
      spends.map((spend) => db.prepare('INSERT INTO entry VALUES (?)').run(spend.txid)),
    )
    if (state === 'voided') await expect(again).rejects.toMatchObject({ code: 'payout_closed' })
    else await again
    expect(entries()).toEqual([txid])
    db.close()
  }
})
