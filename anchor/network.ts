import { NETWORK, TEST_NETWORK } from '@scure/btc-signer'
import { networks } from 'bitcoinjs-lib'

export type NetworkName = 'mainnet' | 'testnet4' | 'signet' | 'regtest'

/** One chain's constants, from Bitcoin Core's kernel/chainparams.cpp and BIP-94 (testnet4). */
export interface Network {
  name: NetworkName
  /** `chain` in bitcoind's getblockchaininfo. */
  rpcChain: 'main' | 'testnet4' | 'signet' | 'regtest'
  bech32: 'bc' | 'tb' | 'bcrt'
  /** SLIP-44, the second level of BIP-86 paths. */
  coinType: 0 | 1
  /** Hex as bitcoind shows it. */
  genesisHash: string
  genesisHeader: Uint8Array
  /** The easiest target that the chain allows. */
  powLimit: bigint
  /** False where the target never moves (regtest). */
  retargets: boolean
  /** BIP-94: minimum-difficulty blocks after 20 minutes, and no time warp between periods. */
  bip94: boolean
  scure: typeof NETWORK
  bitcoinjs: typeof networks.bitcoin
}

/** The coinbase that Bitcoin, signet and regtest share; testnet4 has its own (BIP-94). */
const GENESIS_MERKLE_ROOT = '3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a'
const TESTNET4_MERKLE_ROOT = '4e7b2b9128fe0291db0693af2ae418b767e657cd407e80cb1434221eaea7a07a'

/** Version 1, no parent. `timeBitsNonce` is the header's last 12 bytes. */
function genesisHeader(merkleRoot: string, timeBitsNonce: string): Uint8Array {
  return new Uint8Array(Buffer.from(`01000000${'00'.repeat(32)}${merkleRoot}${timeBitsNonce}`, 'hex'))
}

const NETWORKS: Record<NetworkName, Network> = {
  mainnet: {
    name: 'mainnet',
    rpcChain: 'main',
    bech32: 'bc',
    coinType: 0,
    genesisHash: '000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f',
    genesisHeader: genesisHeader(GENESIS_MERKLE_ROOT, '29ab5f49ffff001d1dac2b7c'),
    powLimit: (1n << 224n) - 1n,
    retargets: true,
    bip94: false,
    scure: NETWORK,
    bitcoinjs: networks.bitcoin,
  },
  testnet4: {
    name: 'testnet4',
    rpcChain: 'testnet4',
    bech32: 'tb',
    coinType: 1,
    genesisHash: '00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043',
    genesisHeader: genesisHeader(TESTNET4_MERKLE_ROOT, '046f3566ffff001dbb0c7817'),
    powLimit: (1n << 224n) - 1n,
    retargets: true,
    bip94: true,
    scure: TEST_NETWORK,
    bitcoinjs: networks.testnet,
  },
  signet: {
    name: 'signet',
    rpcChain: 'signet',
    bech32: 'tb',
    coinType: 1,
    genesisHash: '00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6',
    genesisHeader: genesisHeader(GENESIS_MERKLE_ROOT, '008f4d5fae77031e8ad22203'),
    powLimit: 0x377aen << 216n,
    retargets: true,
    bip94: false,
    scure: TEST_NETWORK,
    bitcoinjs: networks.testnet,
  },
  regtest: {
    name: 'regtest',
    rpcChain: 'regtest',
    bech32: 'bcrt',
    coinType: 1,
    genesisHash: '0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206',
    genesisHeader: genesisHeader(GENESIS_MERKLE_ROOT, 'dae5494dffff7f2002000000'),
    powLimit: (1n << 255n) - 1n,
    retargets: false,
    bip94: false,
    scure: { ...TEST_NETWORK, bech32: 'bcrt' },
    bitcoinjs: networks.regtest,
  },
}

export const NETWORK_NAMES = Object.keys(NETWORKS) as readonly NetworkName[]

export function networkOf(name: NetworkName): Network {
  return NETWORKS[name]
}
