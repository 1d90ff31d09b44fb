import { MonitorError } from './monitor-error.ts'

/** The whole body of an answer, if it isn't longer: whoever sends it isn't trusted. Throws MonitorError `answer_too_large`. */
export async function readBounded(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > maxBytes) {
      throw new MonitorError('answer_too_large', `${response.url} sends more than ${maxBytes} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
