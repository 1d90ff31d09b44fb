import { networks, payments, Transaction } from 'bitcoinjs-lib'
import { openNode } from '../../anchor/node.ts'
import type { RegtestNode } from '../../regtest/start-bitcoind.ts'
import { mempool } from './anchor-site.ts'

/** Just below the 100,000 vB that nodes relay; about 45 of them fill the smallest mempool, 5 MB. */
const OUTPUTS = 2_300
const MAX_FILLERS = 100
const OUTPUT_SATS = 1_000n
const FEE_SATS = 2_000_000n

/** Payments at 20 sat/vB, until the mempool is full and has thrown `txid` out. */
export async function floodMempool(bitcoind: RegtestNode, txid: string): Promise<void> {
  const node = openNode(bitcoind.rpc, 'regtest')
  const anybody = Uint8Array.of(0x51) // OP_TRUE: needs no signature
  const { address = '', output } = payments.p2wsh({ redeem: { output: anybody }, network: networks.regtest })
  if (output === undefined) throw new Error('no script')
  const valueSats = BigInt(OUTPUTS) * OUTPUT_SATS + FEE_SATS
  for (let filler = 0; filler < MAX_FILLERS; filler++) {
    if (!(await mempool(bitcoind)).includes(txid)) return
    const coin = await bitcoind.fund(address, valueSats)
    const payment = new Transaction()
    payment.version = 2
    payment.addInput(Buffer.from(coin.txid, 'hex').reverse(), coin.vout)
    payment.setWitness(0, [anybody])
    for (let count = 0; count < OUTPUTS; count++) payment.addOutput(output, OUTPUT_SATS)
    await node.send(payment.toBuffer())
  }
  throw new Error(`${txid} is still there`)
}
