import { finishedRun } from './finished-run.ts'
import { openDelivery } from './open-delivery.ts'

// Run as a process of its own, to be killed: node deliver-in-child.ts URL SPOOL SECRET-KEY JOB…
const [url = '', path = '', secretKey = '', ...jobs] = process.argv.slice(2)
const delivery = openDelivery({ url, path, secretKey: Buffer.from(secretKey, 'hex'), onEvent: () => {} })
for (const job of jobs) delivery.add(finishedRun(job))
delivery.close()
await delivery.run()
