import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { utils } from '@scure/btc-signer'
import { describe, expect, it } from 'vitest'
import { sealScript } from '../../anchor/commitment.ts'
import type { Payer } from '../../anchor/payer.ts'
import type { PayoutAttempt } from '../../anchor/payout-record.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { mempool, mineEmpty, youngNode } from './anchor-site.ts'
import { PAYEE, spendAsPayee } from './payee-spend.ts'
import { onlyPayout, openTreasury, payees, paymentOf, type Treasury } from './payer-treasury.ts'
import { signedPayment } from './signed-payment.ts'

const TARGET_BLOCKS = 6

/** A payment that a payee has pinned, in a block without the child that pays for it. @returns that child, which the node has lost */
async function minedAlone(bitcoind: RegtestNode, treasury: Treasury): Promise<PayoutAttempt> {
  const payer = treasury.open({ node: youngNode(bitcoind.rpc) })
  await payer.pin('a', 210_000n)
  await payer.prepare('a', [{ address: PAYEE, valueSats: 200_000n }, ...payees(10_000n)])
  await payer.advance()
  await spendAsPayee(onlyPayout(payer), 100_000n, youngNode(bitcoind.rpc))
  for (let block = 0; block < TARGET_BLOCKS; block += 1) {
    await mineEmpty(bitcoind)
    await payer.advance()
  }
  const { payment, child } = onlyPayout(payer)
  await bitcoind.rpc.call('generateblock', 'raw(51)', [payment?.txid])
  await bitcoind.restart()
  if (child === null) throw new Error('the payment has no child')
  return child
}

/** What somebody else with the treasury's key makes of the payment's change. @returns its txid */
async function sweepChange({ rpc }: RegtestNode, treasury: Treasury, payer: Payer): Promise<string> {
  const { txid, changeSats: valueSats } = paymentOf(onlyPayout(payer))
  const { secretKey } = treasury
  const swept = signedPayment({
    secretKey,
    inputs: [{ txid, vout: 2, valueSats }],
    outputs: [],
    changeScript: sealScript(utils.pubSchnorr(randomBytes(32)), null),
    feeSats: 10_000n,
  })
  await rpc.call('sendrawtransaction', Buffer.from(swept.raw).toString('hex'))
  return swept.txid
}

describe('a payment that is mined without its child', () => {
  it('sends its child again when the node has lost it, and settles only when that is deep enough too', async () => {
    await using forgetful = await startBitcoind({ extraArgs: ['-persistmempool=0'] })
    using treasury = await openTreasury(forgetful, 300_000n)
    const { txid: child } = await minedAlone(forgetful, treasury)
    for (let block = 0; block < 4; block += 1) await mineEmpty(forgetful)
    const reopened = treasury.open({ node: youngNode(forgetful.rpc) })
    await reopened.advance()
    expect(onlyPayout(reopened)).toMatchObject({ state: 'confirmed', child: { txid: child } })
    expect(await mempool(forgetful)).toEqual([child])
    await forgetful.mine(3)
    await reopened.advance()
    expect(onlyPayout(reopened)).toMatchObject({ state: 'settled', child: { txid: child } })
  })

  it('pays more for a child that the node has lost and takes at no such price, or says what that costs', async () => {
    await using forgetful = await startBitcoind({ extraArgs: ['-persistmempool=0'] })
    using treasury = await openTreasury(forgetful, 300_000n)
    const { txid: child } = await minedAlone(forgetful, treasury)
    writeFileSync(join(forgetful.datadir, 'bitcoin.conf'), 'minrelaytxfee=0.0002')
    await forgetful.restart()
    for (let block = 0; block < TARGET_BLOCKS; block += 1) await mineEmpty(forgetful)
    const node = youngNode(forgetful.rpc)
    const poor = treasury.open({ node, policy: { capSats: 2_000n } })
    await poor.advance()
    expect(onlyPayout(poor)).toMatchObject({
      state: 'confirmed',
      child: { txid: child },
      trouble: expect.stringMatching(/fee of \d+ sat, above the limits/),
    })
    const payer = treasury.open({ node })
    await payer.advance()
    const raised = onlyPayout(payer)
    expect(raised).toMatchObject({ state: 'confirmed', trouble: null })
    expect(await mempool(forgetful)).toEqual([raised.child?.txid])
    await forgetful.mine(3)
    await payer.advance()
    expect(onlyPayout(payer)).toMatchObject({ state: 'settled', child: { txid: raised.child?.txid } })
  })

  it('settles with it where another miner has taken it, though something else spent the change in this mempool', async () => {
    await using forgetful = await startBitcoind({ extraArgs: ['-persistmempool=0'] })
    using treasury = await openTreasury(forgetful, 300_000n)
    const child = await minedAlone(forgetful, treasury)
    const payer = treasury.open({ node: youngNode(forgetful.rpc) })
    const sweep = await sweepChange(forgetful, treasury, payer)
    for (let block = 0; block < 2 * TARGET_BLOCKS; block += 1) await mineEmpty(forgetful)
    await payer.advance()
    expect(onlyPayout(payer)).toMatchObject({
      state: 'confirmed',
      child: { txid: child.txid },
      trouble: expect.stringMatching(`is spent by ${sweep}, .* the payees are paid`),
    })
    await forgetful.rpc.call('generateblock', 'raw(51)', [Buffer.from(child.raw ?? '').toString('hex')])
    await payer.advance()
    expect(onlyPayout(payer)).toMatchObject({
      state: 'confirmed',
      child: { txid: child.txid },
      trouble: null,
    })
    await forgetful.mine(2)
    await payer.advance()
    expect(onlyPayout(payer)).toMatchObject({ state: 'settled', child: { txid: child.txid } })
  })

  it('settles without it once the block of what has spent the change is final, and not before', async () => {
    await using forgetful = await startBitcoind({ extraArgs: ['-persistmempool=0'] })
    using treasury = await openTreasury(forgetful, 300_000n)
    const child = await minedAlone(forgetful, treasury)
    const payer = treasury.open({ node: youngNode(forgetful.rpc) })
    for (let block = 0; block < 3; block += 1) await mineEmpty(forgetful)
    const sweep = await sweepChange(forgetful, treasury, payer)
    for (let depth = 1; depth < 3; depth += 1) {
      await forgetful.mine(1)
      await payer.advance()
      expect(onlyPayout(payer)).toMatchObject({
        state: 'confirmed',
        child: { txid: child.txid },
        trouble: expect.stringContaining(`is spent by ${sweep}, `),
      })
    }
    await forgetful.mine(1)
    await payer.advance()
    expect(onlyPayout(payer)).toMatchObject({ state: 'settled', child: null, trouble: null })
  })
})
