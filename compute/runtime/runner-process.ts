import { Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { createAnswerer } from './answer-request.ts'
import { takeClaim } from './claim.ts'
import { readMessages, writeMessage } from './message.ts'
import type { RunnerMessage } from './runner-message.ts'

// The process that holds ONNX Runtime: one request at a time, answered in order, until it is killed. It keeps nothing that would be missed.
const REQUESTS_FD = 3
const WITHDRAWN = { header: { kind: 'withdrawn' }, body: new Uint8Array(0) } as const

new Worker(
  new URL(import.meta.url.endsWith('.ts') ? './parent-watch.ts' : './parent-watch.js', import.meta.url),
)

const socket = new Socket({ fd: REQUESTS_FD })
const answer = createAnswerer()
for await (const { header, body } of readMessages(socket)) {
  const { claim, ...request } = header as RunnerMessage
  const isMine = claim === null || takeClaim(claim)
  const reply = isMine ? await answer(request, body) : WITHDRAWN
  writeMessage(socket, reply.header, reply.body)
}
