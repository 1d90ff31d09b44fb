import { anchorFee } from '../../anchor/fee.ts'
import { openNode } from '../../anchor/node.ts'
import { NodeError } from '../../anchor/node-error.ts'
import { type BitcoinRpc, connectRpc } from '../../anchor/rpc.ts'
import { RpcError } from '../../anchor/rpc-error.ts'
import type { Config } from '../config/config-schema.ts'
import { askNode } from './ask-node.ts'
import { type Finding, fail, ok, warn } from './finding.ts'
import { judgeNode } from './judge-node.ts'

/** A person waits. */
const RPC_TIMEOUT_MS = 10_000

/** Everything that hangs on the node; one finding where it doesn't answer. */
export async function checkBitcoind(config: Config): Promise<Finding[]> {
  const { url, cookieFile, username, password } = config.bitcoind
  const rpc = connectRpc({
    url,
    timeoutMs: RPC_TIMEOUT_MS,
    ...(cookieFile === undefined ? {} : { cookieFile }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  })
  try {
    const findings = judgeNode(await askNode(rpc), config, Math.floor(Date.now() / 1000))
    return [...findings, await checkFees(rpc, config)]
  } catch (error) {
    if (error instanceof RpcError) return [unreachable(error, config)]
    if (error instanceof NodeError) return [fail('bitcoind', error.message, FIX_BY_CODE.rpc_malformed)]
    throw error
  } finally {
    rpc.close()
  }
}

const FIX_BY_CODE: Readonly<Record<RpcError['code'], string>> = {
  rpc_unreachable: 'Start bitcoind with server=1, or set bitcoind.url to where it listens.',
  rpc_timeout: 'Look at the load of its machine: bitcoind took the call and gave no answer.',
  rpc_unauthorized:
    "Set bitcoind.cookieFile to the .cookie of its data folder (of the chain's subfolder), readable by this user.",
  rpc_warming_up: 'Wait: it is loading its chain.',
  rpc_refused: 'Allow this user the RPC methods that the coordinator needs (rpcwhitelist in bitcoin.conf).',
  rpc_malformed: 'Set bitcoind.url to the RPC of a Bitcoin Core 28 or newer.',
}

function unreachable(error: RpcError, { bitcoind: { cookieFile } }: Config): Finding {
  const hint =
    error.code === 'rpc_unreachable' && cookieFile !== undefined ? ` Its cookie is to be ${cookieFile}.` : ''
  const found = error.code === 'rpc_warming_up' ? warn : fail
  return found('bitcoind', error.message, `${FIX_BY_CODE[error.code]}${hint}`)
}

/** DESIGN §6. */
const ANCHOR_VSIZE = { dual: 162, taproot: 111 } as const

/** Whether an anchor could be paid now, within the configured limits. */
async function checkFees(rpc: BitcoinRpc, { network, anchor }: Config): Promise<Finding> {
  const market = await openNode(rpc, network).feeMarket(anchor.targetBlocks)
  const answer = anchorFee({ ...market, ...anchor, vsize: ANCHOR_VSIZE[anchor.method] })
  if (answer.kind === 'fee') return ok('fees', `an anchor costs ${answer.feeSats} sat now`)
  return warn(
    'fees',
    `an anchor needs ${answer.neededSats} sat now, above the configured limits: anchors would stall`,
    `Raise anchor.${answer.reason === 'cap_reached' ? 'capSats' : 'ceilingSatPerKvb'}, or wait for lower fees.`,
  )
}
