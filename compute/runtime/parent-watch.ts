import { Socket } from 'node:net'
import { workerData } from 'node:worker_threads'
import { takeWithdrawn } from './claim.ts'
import { LIFELINE_FD } from './runner-fds.ts'

// A thread of the runner process, which hears its parent even while a model blocks the main thread.
const newest: Int32Array<SharedArrayBuffer> = workerData
const lifeline = new Socket({ fd: LIFELINE_FD })

async function giveBack(number: number): Promise<void> {
  if (await takeWithdrawn(newest, number)) lifeline.write(Buffer.of(number))
}

lifeline.on('data', (numbers) => {
  for (const number of numbers) void giveBack(number)
})
// The other end is gone only with the parent, whatever the error.
lifeline.on('error', () => {})
lifeline.on('close', () => process.kill(process.pid, 'SIGKILL'))
