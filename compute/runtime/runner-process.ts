import { Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { createAnswerer } from './answer-request.ts'
import { readMessages, writeMessage } from './message.ts'
import { keepHeapRoomy } from './roomy-heap.ts'
import { REQUESTS_FD } from './runner-fds.ts'
import type { RunnerRequest } from './runner-message.ts'

// The process that holds ONNX Runtime: one request at a time, answered in order, until it is killed. It keeps nothing that would be missed.
keepHeapRoomy()
new Worker(
  new URL(import.meta.url.endsWith('.ts') ? './parent-watch.ts' : './parent-watch.js', import.meta.url),
)

const socket = new Socket({ fd: REQUESTS_FD })
const answer = createAnswerer()
for await (const { header, body } of readMessages(socket)) {
  const reply = await answer(header as RunnerRequest, body)
  writeMessage(socket, reply.header, reply.bodies)
}
