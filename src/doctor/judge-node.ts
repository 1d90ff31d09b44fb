import { networkOf } from '../../anchor/network.ts'
import type { Config } from '../config/config-schema.ts'
import type { NodeFacts } from './ask-node.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

/** Ten minutes a block: one block in three million comes this late. */
const STALE_TIP_SECONDS = 9_000
/** The coordinator refuses requests whose clocks are further off (src/api/authenticate.ts). */
const MAX_CLOCK_SKEW_SECONDS = 60

/** Whether a node that answers can serve this configuration; `nowSeconds` is Unix time here. */
export function judgeNode(facts: NodeFacts, config: Config, nowSeconds: number): Finding[] {
  const { subversion } = facts.network
  return [
    ok('bitcoind', `${subversion.replace(/^\/|\/$/g, '')} at ${config.bitcoind.url}`),
    networkFinding(facts, config),
    syncFinding(facts),
    peersFinding(facts, config),
    pruningFinding(facts),
    walletFinding(facts),
    zmqFinding(facts, config),
    relayFinding(facts, config),
    clockFinding(facts, config, nowSeconds),
  ]
}

function networkFinding({ chain: { chain } }: NodeFacts, { network, bitcoind }: Config): Finding {
  return chain === networkOf(network).rpcChain
    ? ok('network', network)
    : fail(
        'network',
        `the node serves ${chain}, ${network} is configured`,
        `Set bitcoind.url to a node of ${network} (${bitcoind.url} is another chain's).`,
      )
}

function syncFinding({ chain }: NodeFacts): Finding {
  const { initialblockdownload, blocks, headers } = chain
  if (!initialblockdownload) return ok('sync', `block ${blocks}`)
  const wait = chain.chain === 'regtest' ? 'Mine a block.' : 'Wait: nothing is anchored or paid until then.'
  return warn('sync', `initial block download, block ${blocks} of ${headers}`, wait)
}

function peersFinding({ network: { connections } }: NodeFacts, { network }: Config): Finding {
  if (network === 'regtest') return ok('peers', 'none are needed on regtest')
  return connections > 0
    ? ok('peers', `${connections}`)
    : fail(
        'peers',
        'none',
        "Let bitcoind connect: without peers no anchor and no payout reaches a miner's block.",
      )
}

function pruningFinding({ chain: { pruned, pruneheight } }: NodeFacts): Finding {
  return ok(
    'pruning',
    pruned
      ? `pruned below block ${pruneheight ?? 0}: what proofs need is kept when it is mined`
      : 'not pruned',
  )
}

function walletFinding({ hasWallets }: NodeFacts): Finding {
  return hasWallets
    ? ok('wallet', 'wallets are on: treasury and deposits are watched through one that holds no keys')
    : fail(
        'wallet',
        'the node runs without wallets',
        'Remove disablewallet=1 from bitcoin.conf and restart bitcoind.',
      )
}

/** Addresses differ where the node binds 0.0.0.0 or runs in a container; the port has to be the same. */
function zmqFinding({ zmq }: NodeFacts, { bitcoind: { zmqUrl, pollMs } }: Config): Finding {
  const published = zmq.filter(({ type }) => type === 'pubsequence').map(({ address }) => address)
  const [first] = published
  if (zmqUrl === undefined) {
    return warn(
      'zmq',
      `not configured: blocks are seen at the next poll, every ${pollMs} ms`,
      first === undefined
        ? 'Add zmqpubsequence=tcp://127.0.0.1:28332 to bitcoin.conf, and the same as bitcoind.zmqUrl.'
        : `Set bitcoind.zmqUrl = "${first}".`,
    )
  }
  if (published.some((address) => portOf(address) === portOf(zmqUrl)))
    return ok('zmq', `sequence at ${zmqUrl}`)
  return warn(
    'zmq',
    `the node publishes no sequence at ${zmqUrl}: blocks are seen at the next poll, every ${pollMs} ms`,
    first === undefined
      ? `Add zmqpubsequence=${zmqUrl} to bitcoin.conf and restart bitcoind.`
      : `Set bitcoind.zmqUrl = "${first}", or zmqpubsequence=${zmqUrl} in bitcoin.conf.`,
  )
}

function portOf(address: string): string {
  return address.startsWith('tcp://') ? address.slice(address.lastIndexOf(':')) : address
}

function relayFinding({ dataRefusal }: NodeFacts, { anchor: { method } }: Config): Finding {
  if (method === 'taproot') return ok('relay', 'anchors of the taproot method have no data output')
  if (dataRefusal === null) return ok('relay', 'an OP_RETURN of 42 bytes is accepted')
  return fail(
    'relay',
    `the node refuses an anchor's OP_RETURN of 42 bytes: ${dataRefusal}`,
    'Set datacarrier=1 and datacarriersize=83 in bitcoin.conf and restart bitcoind.',
  )
}

function clockFinding(
  { chain, network: { timeoffset } }: NodeFacts,
  { network }: Config,
  nowSeconds: number,
): Finding {
  const { time, mediantime, initialblockdownload } = chain
  // Blocks made in a hurry run ahead of any clock, and old chains behind it.
  if (network === 'regtest') return ok('clock', "regtest's blocks tell no time")
  // BIP-113: half of the last 11 blocks are younger than their median time, which lags by about an hour.
  if (mediantime > nowSeconds) {
    return fail('clock', `${mediantime - nowSeconds} s behind the blocks' median time`, SYNCHRONISE)
  }
  if (Math.abs(timeoffset) > MAX_CLOCK_SKEW_SECONDS) {
    return warn('clock', `bitcoind's peers say that its clock is ${timeoffset} s off`, SYNCHRONISE)
  }
  const ageSeconds = nowSeconds - time
  if (ageSeconds > STALE_TIP_SECONDS && !initialblockdownload) {
    return warn(
      'clock',
      `the last block is ${Math.round(ageSeconds / 60)} minutes old: this clock is ahead, or the node hears of no blocks`,
      `${SYNCHRONISE} Then look at bitcoind's peers.`,
    )
  }
  return ok('clock', `the last block is ${ageSeconds} s old`)
}

const SYNCHRONISE = 'Synchronise the clock (timedatectl set-ntp true).'
