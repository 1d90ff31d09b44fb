/**
 * One advance of an anchorer whose process is killed at a given moment: odd moments are before a call to the node,
 * even ones after it. Exits with 0 when it is over before that moment.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { openAnchorer } from '../../anchor/anchorer.ts'
import { type Node, openNode } from '../../anchor/node.ts'
import { connectRpc } from '../../anchor/rpc.ts'
import { openDatabase, POLICY } from './anchor-site.ts'
import { dyingAt } from './dying-at.ts'

const task = z
  .object({
    dbFile: z.string(),
    payloadFile: z.string(),
    rpcUrl: z.string(),
    cookieFile: z.string(),
    secretKey: z.string(),
    firstSeal: z.object({ txid: z.string(), vout: z.number(), valueSats: z.string() }),
    size: z.number(),
    dieAt: z.number(),
  })
  .parse(JSON.parse(process.argv[2] ?? ''))

const { dying } = dyingAt(task.dieAt)
const rpc = connectRpc({ url: task.rpcUrl, cookieFile: task.cookieFile })
const node = openNode(rpc, 'regtest')
const dyingNode: Node = {
  chain: dying(node.chain),
  blockHash: dying(node.blockHash),
  header: dying(node.header),
  blockAt: dying(node.blockAt),
  blockTxids: dying(node.blockTxids),
  txOut: dying(node.txOut),
  mempoolEntry: dying(node.mempoolEntry),
  mempoolSpender: dying(node.mempoolSpender),
  transactionInBlock: dying(node.transactionInBlock),
  feeInBlock: dying(node.feeInBlock),
  send: dying(node.send),
  feeMarket: dying(node.feeMarket),
}
const db = openDatabase(task.dbFile)
const anchorer = openAnchorer({
  db,
  node: dyingNode,
  method: 'taproot',
  origin: 'test.example/log',
  secretKey: Buffer.from(task.secretKey, 'hex'),
  firstSeal: { ...task.firstSeal, valueSats: BigInt(task.firstSeal.valueSats) },
  payloadFile: task.payloadFile,
  policy: POLICY,
  head: () => ({ size: task.size, root: createHash('sha256').update(`root of ${task.size}`).digest() }),
})
anchorer.request()
await anchorer.advance()
db.close()
rpc.close()
