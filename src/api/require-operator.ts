import { timingSafeEqual } from 'node:crypto'
import type { RequestHandler } from 'express'
import { sha256 } from '../../compute/work/tagged-hash.ts'
import type { ApiKeys, Role } from '../coordinator/api-keys.ts'
import { RefusedError } from '../coordinator/refused-error.ts'

/**
 * Lets through who holds the operator's token or an operator's key, and for reading a read-only key. Throws RefusedError
 * 401 `api_key_unknown`, 403 `role_insufficient`.
 *
 * @param token of the data folder: the first key, which no table holds
 */
export function requireOperator(apiKeys: ApiKeys, token: string): RequestHandler {
  // Hashes have one length, so that the comparison takes one time.
  const expected = sha256(Buffer.from(`Bearer ${token}`))

  function roleOf(authorization: string | undefined): Role | null {
    const given = sha256(Buffer.from(authorization ?? ''))
    return timingSafeEqual(expected, given) ? 'operator' : (apiKeys.find(authorization)?.role ?? null)
  }

  return (request, _response, next) => {
    const role = roleOf(request.headers.authorization)
    if (role === null) {
      throw new RefusedError(
        401,
        'api_key_unknown',
        "this needs an operator's key, or the data folder's token",
      )
    }
    const isReading = request.method === 'GET' || request.method === 'HEAD'
    if (role !== 'operator' && !(role === 'read_only' && isReading)) {
      throw new RefusedError(403, 'role_insufficient', `a key of the role ${role} does not open this`)
    }
    next()
  }
}
