import { HEADER_LENGTH } from '../../src/oip/split-body.ts'
import { type BenchModel, inputRows } from './bench-models.ts'
import type { Shot } from './load.ts'

/** An inference request of the Open Inference Protocol; binary tensors both ways, so an answer ends with the output's bytes. The first element is the request's number. */
export function inferShot(url: string, model: BenchModel, rows: number): Shot {
  const data = Buffer.from(inputRows(model, rows).buffer)
  const head = Buffer.from(
    JSON.stringify({
      parameters: { binary_data_output: true },
      inputs: [
        {
          name: model.input,
          datatype: 'FP32',
          shape: [rows, ...model.shape],
          parameters: { binary_data_size: data.length },
        },
      ],
    }),
  )
  return {
    url: `${url}/v2/models/${model.name}/infer`,
    headers: { 'content-type': 'application/octet-stream', [HEADER_LENGTH]: String(head.length) },
    body(n) {
      const body = Buffer.concat([head, data])
      body.writeFloatLE(n, head.length)
      return body
    },
  }
}

/** The tensor alone. */
export function bareShot(shot: Shot, model: BenchModel, url: string): Shot {
  const bytes = model.shape.reduce((product, size) => product * size, Float32Array.BYTES_PER_ELEMENT)
  return { ...shot, url, body: (n) => shot.body(n).subarray(-bytes) }
}
