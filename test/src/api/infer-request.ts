import { expect } from 'vitest'
import type { Tensor } from '../../../compute/work/tensor-bundle.ts'
import { encodeTensorBundle } from '../../../compute/work/tensor-bundle.ts'

export const x = { name: 'x', shape: [2, 64], datatype: 'FP32', data: Array(128).fill(0.5) }
export const y: Tensor = {
  name: 'y',
  datatype: 'FP32',
  shape: [2, 10],
  data: new Uint8Array(Float32Array.from({ length: 20 }, (_, at) => at / 4).buffer),
}
export const receiptId = new Uint8Array(32).fill(0xab)
export const receiptHex = 'ab'.repeat(32)
export const answer = {
  outputs: encodeTensorBundle([y]),
  receiptId,
  job: new Uint8Array(190).fill(0xcd),
  inputSalt: new Uint8Array(32).fill(0x1a),
  outputSalt: new Uint8Array(32).fill(0x2b),
}
/** Of an answer in JSON. */
export const parameters = {
  assay_receipt_id: receiptHex,
  assay_job: 'cd'.repeat(190),
  assay_input_salt: '1a'.repeat(32),
  assay_output_salt: '2b'.repeat(32),
}

export function post(
  url: string,
  body: NonNullable<RequestInit['body']>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, { method: 'POST', body, headers })
}

export async function outcome(response: Response): Promise<{ status: number; json: unknown }> {
  return { status: response.status, json: await response.json() }
}

export const refusal = (status: number, code: string) => ({
  status,
  json: { code, error: expect.stringMatching(/./) },
})
