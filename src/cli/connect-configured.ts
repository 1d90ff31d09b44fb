import { type BitcoinRpc, connectRpc } from '../../anchor/rpc.ts'
import type { Config } from '../config/config-schema.ts'

/** The node that the configuration names, with its way to log in. */
export function connectConfigured({ bitcoind }: Config): BitcoinRpc {
  const { url, cookieFile, username, password } = bitcoind
  return connectRpc({
    url,
    ...(cookieFile === undefined ? {} : { cookieFile }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  })
}
