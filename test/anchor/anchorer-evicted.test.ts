import { randomBytes } from 'node:crypto'
import { utils } from '@scure/btc-signer'
import { expect, it } from 'vitest'
import { sealScript } from '../../anchor/commitment.ts'
import { openNode } from '../../anchor/node.ts'
import { buildPayoutTransaction } from '../../anchor/payout-transaction.ts'
import { taprootAddress } from '../../anchor/taproot-address.ts'
import { type RegtestNode, startBitcoind } from '../../regtest/start-bitcoind.ts'
import { mempool, onlyAnchor, openSite } from './anchor-site.ts'
import { expectWhole } from './expect-whole.ts'

/** Largest that nodes relay; a few dozen fill the smallest mempool. */
const OUTPUTS = 2_300
const MAX_FILLERS = 60

/** Fills a mempool of 5 MB with payments at 20 sat/vB until it has thrown out what pays less. */
async function flood(bitcoind: RegtestNode, evicted: string): Promise<void> {
  const secretKey = randomBytes(32)
  const internalKey = utils.pubSchnorr(secretKey)
  const address = taprootAddress(internalKey, 'regtest')
  const script = sealScript(internalKey, null)
  const node = openNode(bitcoind.rpc, 'regtest')
  for (let filler = 0; filler < MAX_FILLERS; filler++) {
    if (!(await mempool(bitcoind)).includes(evicted)) return
    const valueSats = 10_000_000n
    const coin = { ...(await bitcoind.fund(address, valueSats)), valueSats }
    const outputs = Array.from({ length: OUTPUTS }, () => ({ script, valueSats: 1_000n }))
    const { raw } = buildPayoutTransaction({
      secretKey,
      inputs: [coin],
      outputs,
      changeScript: script,
      feeSats: 2_000_000n,
    })
    await node.send(raw)
  }
}

it('an anchor that a full mempool threw out is made again at the price of the day, and mined', {
  timeout: 180_000,
}, async () => {
  await using bitcoind = await startBitcoind({ extraArgs: ['-maxmempool=5'] })
  using site = await openSite(bitcoind)
  const anchorer = site.open()
  site.grow(1)
  await anchorer.advance()
  const first = onlyAnchor(anchorer)
  await flood(bitcoind, first.txid ?? '')
  expect(await mempool(bitcoind)).not.toContain(first.txid)
  site.grow(1)
  await anchorer.advance()
  const second = onlyAnchor(anchorer)
  expect(second).toMatchObject({ index: 0, size: 2, state: 'broadcast' })
  expect(second.feeSats).toBeGreaterThan(first.feeSats)
  expect(await mempool(bitcoind)).toContain(second.txid)
  await bitcoind.mine(10)
  await anchorer.advance()
  expect(onlyAnchor(anchorer)).toMatchObject({ txid: second.txid })
  await expectWhole(site, anchorer)
})
