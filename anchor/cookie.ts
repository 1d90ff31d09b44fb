import { readFile } from 'node:fs/promises'
import { RpcError } from './rpc-error.ts'

/** bitcoind writes `__cookie__:` and 64 hex digits. */
const MAX_COOKIE_CHARACTERS = 1024

/**
 * The Authorization header of bitcoind's cookie file. The cookie changes at each start of the node and is
 * deleted when it stops (Bitcoin Core, rpc/request.cpp), so nobody may hold it for long.
 * Throws RpcError, `sent` no.
 */
export async function readCookie(cookieFile: string): Promise<string> {
  const text = await readFile(cookieFile, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw cause.code === 'ENOENT'
      ? new RpcError(
          'rpc_unreachable',
          `no cookie at ${cookieFile}: bitcoind isn't running on that datadir`,
          {
            sent: 'no',
            cause,
          },
        )
      : new RpcError('rpc_unauthorized', `can't read ${cookieFile}: ${cause.message}`, { sent: 'no', cause })
  })
  const cookie = text.trim()
  if (cookie.length > MAX_COOKIE_CHARACTERS || !/^[^:\s]+:\S+$/.test(cookie)) {
    throw new RpcError('rpc_unauthorized', `${cookieFile} is no bitcoind cookie (user:password)`, {
      sent: 'no',
    })
  }
  return basicAuthorization(cookie)
}

/** HTTP Basic (RFC 7617) for `user:password`. */
export function basicAuthorization(credentials: string): string {
  return `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`
}
