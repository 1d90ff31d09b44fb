import { promisify } from 'node:util'
import { constants, deflate, gzip } from 'node:zlib'
import type { Request } from 'express'

/** What fits one packet of an Ethernet comes no sooner when it is smaller. */
export const MIN_PACKED_BYTES = 1_400

/** JSON numbers shrink to a half at the quickest level, and to little less at the slower ones. */
const options = { level: constants.Z_BEST_SPEED }
const PACKERS = { gzip: promisify(gzip), deflate: promisify(deflate) }

/** JSON as the requester takes it: gzip, deflate or as it is. */
export async function packJson(
  request: Request,
  json: Uint8Array,
): Promise<{ headers: Record<string, string>; body: Uint8Array }> {
  const vary = { vary: 'accept-encoding' }
  const encoding = request.acceptsEncodings(['gzip', 'deflate', 'identity'])
  if (json.length < MIN_PACKED_BYTES || (encoding !== 'gzip' && encoding !== 'deflate')) {
    return { headers: vary, body: json }
  }
  return {
    headers: { ...vary, 'content-encoding': encoding },
    body: await PACKERS[encoding](json, options),
  }
}
