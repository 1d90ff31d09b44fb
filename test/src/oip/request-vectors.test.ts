import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { TensorSignature } from '../../../compute/onnx/signature.ts'
import { parseInferRequest } from '../../../src/oip/parse-infer-request.ts'

interface Vectors {
  inputs: TensorSignature[]
  outputs: TensorSignature[]
  tensors: Record<string, string>
  requests: {
    what: string
    jsonBytes: number | null
    json: string
    binary: string
    isBinary: boolean
    priority: number | null
    timeoutMicroseconds: number | null
  }[]
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../../vectors/oip-requests.json', import.meta.url), 'utf8'),
)

test.each(vectors.requests)('of Triton’s clients is read: $what', (one) => {
  const headers = one.jsonBytes === null ? {} : { 'inference-header-content-length': `${one.jsonBytes}` }
  const body = Buffer.concat([Buffer.from(one.json), Buffer.from(one.binary, 'hex')])
  const request = parseInferRequest(headers, body, vectors)
  expect(request.inputs.map(({ name, data }) => [name, Buffer.from(data).toString('hex')])).toEqual(
    Object.entries(vectors.tensors),
  )
  expect(request.outputs).toEqual([{ name: 'output0', isBinary: one.isBinary }])
  expect(request.priority).toBe(one.priority)
  expect(request.timeoutMicroseconds).toBe(one.timeoutMicroseconds)
  expect(request.items).toBe(1)
})
