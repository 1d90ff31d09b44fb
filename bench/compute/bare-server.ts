/** A program: node:http with nothing around it. `/echo` gives a body back, `/infer` runs it through a model. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { InferenceSession, Tensor } from '../../compute/runtime/onnxruntime.ts'
import { sessionOptions } from '../../compute/runtime/session-options.ts'
import { convNet, mlp, trivial } from './bench-models.ts'

const sessions = new Map<string, { session: InferenceSession; shape: readonly number[]; input: string }>()
for (const { name, file, input, shape } of [mlp(), convNet(), trivial()]) {
  const options = sessionOptions('cpu', { optimization: 'disabled', threads: 1 })
  sessions.set(name, { session: await InferenceSession.create(file, options), shape, input })
}

const server = createServer(async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  const served = sessions.get(request.url?.slice('/infer/'.length) ?? '')
  if (served === undefined) {
    response.end(body)
    return
  }
  const data = new Float32Array(body.buffer.slice(body.byteOffset, body.byteOffset + body.byteLength))
  const rowElements = served.shape.reduce((product, size) => product * size, 1)
  const tensor = new Tensor('float32', data, [data.length / rowElements, ...served.shape])
  const [output] = Object.values(await served.session.run({ [served.input]: tensor }))
  if (!(output?.data instanceof Float32Array)) throw new Error('no FP32 output')
  response.end(Buffer.from(output.data.buffer, output.data.byteOffset, output.data.byteLength))
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
