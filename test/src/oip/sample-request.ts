import { expect } from 'vitest'
import type { TensorSignature } from '../../../compute/onnx/signature.ts'
import { type InferRequest, parseInferRequest } from '../../../src/oip/parse-infer-request.ts'
import { inferMessage } from './infer-message.ts'

export const signature = {
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [null, 2] },
    { name: 'mask', datatype: 'BOOL', shape: [3] },
  ],
  outputs: [
    { name: 'y', datatype: 'FP32', shape: [null, 10] },
    { name: 'label', datatype: 'INT64', shape: [null] },
  ],
} satisfies { inputs: TensorSignature[]; outputs: TensorSignature[] }

export const x = { name: 'x', shape: [2, 2], datatype: 'FP32', data: [1, 2, 3, 4] }
export const mask = { name: 'mask', shape: [3], datatype: 'BOOL', data: [true, false, true] }
export const floats = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer)
export const bits = Uint8Array.of(1, 0, 1)
export const binary = (bytes: number) => ({ data: undefined, parameters: { binary_data_size: bytes } })

export function parse(head: unknown, ...parts: Uint8Array[]): InferRequest {
  const { headers, body } = inferMessage(head, ...parts)
  return parseInferRequest(headers, body, signature)
}

/** Every input of `signature` with one tensor of the given form. */
export function parseOne(tensor: TensorSignature, input: object, ...parts: Uint8Array[]): InferRequest {
  const { headers, body } = inferMessage({ inputs: [{ name: tensor.name, ...input }] }, ...parts)
  return parseInferRequest(headers, body, { inputs: [tensor], outputs: [] })
}

export const refused = (code: string, status = 400) =>
  expect.objectContaining({ name: 'OipError', code, status })
