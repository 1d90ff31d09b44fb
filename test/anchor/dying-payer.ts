/**
 * One payout from its pin to its broadcast, or to its bump where it is out already, in a process that is killed at a given
 * moment: odd moments are before a call to the node, even ones after it. Exits with 0 when it is over before that moment.
 */
import { utils } from '@scure/btc-signer'
import { z } from 'zod'
import { type Node, openNode } from '../../anchor/node.ts'
import { openPayer } from '../../anchor/payer.ts'
import { connectRpc } from '../../anchor/rpc.ts'
import { openDatabase } from './anchor-site.ts'
import { dyingAt } from './dying-at.ts'
import { POLICY } from './payer-treasury.ts'

const sats = z.string().transform(BigInt)
const task = z
  .object({
    dbFile: z.string(),
    rpcUrl: z.string(),
    cookieFile: z.string(),
    secretKey: z.string(),
    id: z.string(),
    coins: z.array(z.object({ txid: z.string(), vout: z.number(), valueSats: sats, keyIndex: z.number() })),
    outputs: z.array(z.object({ address: z.string(), valueSats: sats })),
    dieAt: z.number(),
  })
  .parse(JSON.parse(process.argv[2] ?? ''))

const { moment, dying } = dyingAt(task.dieAt)
const rpc = connectRpc({ url: task.rpcUrl, cookieFile: task.cookieFile })
const node = openNode(rpc, 'regtest')
const dyingNode: Node = {
  ...node,
  chain: dying(node.chain),
  txOut: dying(node.txOut),
  mempoolEntry: dying(node.mempoolEntry),
  send: dying(node.send),
  feeMarket: dying(async (targetBlocks) => ({
    ...(await node.feeMarket(targetBlocks)),
    estimateSatPerKvb: null,
  })),
}
const db = openDatabase(task.dbFile)
const secretKey = Buffer.from(task.secretKey, 'hex')
const internalKey = utils.pubSchnorr(secretKey)
const payer = openPayer({
  db,
  node: dyingNode,
  network: 'regtest',
  keyAt: () => ({ internalKey, secretKey }),
  policy: { ...POLICY, targetBlocks: 1 },
  listCoins: async () => task.coins,
})
const totalSats = task.outputs.reduce((sum, { valueSats }) => sum + valueSats, 0n)
await payer.pin(task.id, totalSats, () => {
  moment()
  db.prepare('INSERT INTO intent (id) VALUES (?)').run(task.id)
  moment()
})
await payer.prepare(task.id, task.outputs)
moment()
await payer.advance()
db.close()
rpc.close()
