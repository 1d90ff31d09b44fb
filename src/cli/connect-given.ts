import { type BitcoinRpc, connectRpc } from '../../anchor/rpc.ts'
import { CliError, EXIT } from './exit-code.ts'

/** The node that --bitcoind-url and --cookie-file name. Throws CliError. */
export function connectGiven(url: string, cookieFile: string | undefined): BitcoinRpc {
  if (cookieFile === undefined) {
    const text = '--bitcoind-url wants --cookie-file: .cookie in the folder of that chain, such as ~/.bitcoin'
    throw new CliError(EXIT.usage, 'cookie_not_given', text)
  }
  return connectRpc({ url, cookieFile })
}
