import { writeFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { checkHeaderChain } from '../../../anchor/header-chain.ts'
import type { NetworkName } from '../../../anchor/network.ts'
import { NETWORK_NAMES } from '../../../anchor/network.ts'
import { openNode } from '../../../anchor/node.ts'
import { connectRpc } from '../../../anchor/rpc.ts'
import { fetchHeaders } from '../../client/fetch-headers.ts'
import { example } from '../example.ts'
import { openProgressLine } from '../progress-line.ts'
import { openTerminal } from '../terminal.ts'

interface HeadersOptions {
  readonly bitcoindUrl: string
  readonly cookieFile: string
  readonly network: NetworkName
  readonly out: string
  readonly json?: boolean
}

export function addHeaders(program: Command): void {
  program
    .command('headers')
    .description("write a node's header chain as a file, checked, for `assay proof verify --headers`")
    .requiredOption('--bitcoind-url <url>', "bitcoind's RPC")
    .requiredOption('--cookie-file <file>', "bitcoind's cookie")
    .addOption(new Option('--network <name>', 'the chain').choices(NETWORK_NAMES).default('mainnet'))
    .option('--out <file>', 'where to write them', 'headers.bin')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      example('assay headers --bitcoind-url http://127.0.0.1:8332 --cookie-file ~/.bitcoin/.cookie'),
    )
    .action(async (options: HeadersOptions) => {
      const rpc = connectRpc({ url: options.bitcoindUrl, cookieFile: options.cookieFile })
      const progress = openProgressLine('Headers')
      const bytes = await fetchHeaders(openNode(rpc, options.network), progress.show).finally(progress.close)
      rpc.close()
      const { tipHeight, tipHash } = checkHeaderChain(bytes, options.network, {})
      writeFileSync(options.out, bytes)
      openTerminal(options.json === true).result({ file: options.out, tipHeight, tipHash }, (written) => {
        return `Wrote ${written.file}: ${written.tipHeight + 1} headers up to ${written.tipHash}.`
      })
    })
}
