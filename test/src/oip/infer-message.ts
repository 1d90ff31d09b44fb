import type { IncomingHttpHeaders } from 'node:http'

/** An inference request as a client sends it: the JSON, then the binary tensors behind a header that says where. */
export function inferMessage(
  head: unknown,
  ...binary: Uint8Array[]
): { headers: IncomingHttpHeaders; body: Uint8Array } {
  const json = Buffer.from(JSON.stringify(head))
  if (binary.length === 0) return { headers: {}, body: json }
  return {
    headers: { 'inference-header-content-length': String(json.length) },
    body: new Uint8Array(Buffer.concat([json, ...binary])),
  }
}
