import { setImmediate } from 'node:timers/promises'
import { finishedRun } from './finished-run.ts'
import { openDelivery } from './open-delivery.ts'

// Run as a process of its own, to be killed, with a channel to its parent: node spool-in-child.ts URL SPOOL SECRET-KEY JOB…
const [url = '', path = '', secretKey = '', first = '', ...later] = process.argv.slice(2)
const delivery = openDelivery({ url, path, secretKey: Buffer.from(secretKey, 'hex'), onEvent: () => {} })
process.once('message', async () => {
  for (const job of later) delivery.add(finishedRun(job))
  while (delivery.backlog().receipts < 1 + later.length) await setImmediate()
  process.send?.('spooled')
})
delivery.add(finishedRun(first))
await delivery.run()
