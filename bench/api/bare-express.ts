/** A program: express with nothing around it. What is PUT at a path is what its route sends. */
import type { AddressInfo } from 'node:net'
import express from 'express'

const MAX_ANSWER_BYTES = 1024 * 1024

const app = express()
app.put('/*path', express.raw({ type: () => true, limit: MAX_ANSWER_BYTES }), (request, response) => {
  const body: unknown = request.body
  const type = request.headers['content-type'] ?? ''
  app.get(request.path, (_request, answer) => void answer.type(type).send(body))
  response.end()
})
const server = app.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
