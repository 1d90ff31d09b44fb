import { Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { createAnswerer } from './answer-request.ts'
import { numberAfter, takeClaim } from './claim.ts'
import { readMessages, writeMessage } from './message.ts'
import { REQUESTS_FD } from './runner-fds.ts'
import type { RunnerRequest } from './runner-message.ts'

// The process that holds ONNX Runtime: one request at a time, answered in order, until it is killed. It keeps nothing that would be missed.
const WITHDRAWN = { header: { kind: 'withdrawn' }, body: new Uint8Array(0) } as const

const newest = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
new Worker(
  new URL(import.meta.url.endsWith('.ts') ? './parent-watch.ts' : './parent-watch.js', import.meta.url),
  { workerData: newest },
)

const socket = new Socket({ fd: REQUESTS_FD })
const answer = createAnswerer()
let number = 0
for await (const { header, body } of readMessages(socket)) {
  number = numberAfter(number)
  const isMine = takeClaim(newest, number)
  const reply = isMine ? await answer(header as RunnerRequest, body) : WITHDRAWN
  writeMessage(socket, reply.header, reply.body)
}
