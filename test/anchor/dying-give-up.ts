/** One payout given up in a process that is killed around the one write of it. Exits with 0 when it is over before that moment. */
import { utils } from '@scure/btc-signer'
import { z } from 'zod'
import { openNode } from '../../anchor/node.ts'
import { openPayer } from '../../anchor/payer.ts'
import { connectRpc } from '../../anchor/rpc.ts'
import { openDatabase } from './anchor-site.ts'
import { dyingAt } from './dying-at.ts'
import { POLICY } from './payer-treasury.ts'

const task = z
  .object({
    dbFile: z.string(),
    rpcUrl: z.string(),
    cookieFile: z.string(),
    secretKey: z.string(),
    dieAt: z.number(),
  })
  .parse(JSON.parse(process.argv[2] ?? ''))

const { moment } = dyingAt(task.dieAt)
const rpc = connectRpc({ url: task.rpcUrl, cookieFile: task.cookieFile })
const db = openDatabase(task.dbFile)
const secretKey = Buffer.from(task.secretKey, 'hex')
const internalKey = utils.pubSchnorr(secretKey)
const payer = openPayer({
  db,
  node: openNode(rpc, 'regtest'),
  network: 'regtest',
  keyAt: () => ({ internalKey, secretKey }),
  policy: POLICY,
  listCoins: async () => [],
})
await payer.giveUp('a', [], 0, (spends) => {
  moment()
  for (const { txid } of spends) db.prepare('INSERT INTO entry VALUES (?)').run(txid)
  moment()
})
moment()
db.close()
rpc.close()
