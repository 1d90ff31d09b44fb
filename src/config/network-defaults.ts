import type { NetworkName } from '../../anchor/network.ts'
import type { Config } from './config-schema.ts'

/** All but what only the operator knows: data folder, origin, first height, how to log in to bitcoind. */
type ConfigDefaults = Omit<Config, 'network' | 'dataDir' | 'origin' | 'bitcoind' | 'epoch'> & {
  bitcoind: Pick<Config['bitcoind'], 'url' | 'pollMs'>
  epoch: Omit<Config['epoch'], 'startHeight'>
}

/** Bitcoin Core's, kernel/chainparamsbase.cpp. */
const RPC_PORTS: Record<NetworkName, number> = {
  mainnet: 8332,
  testnet4: 48332,
  signet: 38332,
  regtest: 18443,
}

export function networkDefaults(network: NetworkName): ConfigDefaults {
  const regtest = network === 'regtest'
  return {
    witnesses: [],
    listen: { host: '127.0.0.1', port: 8380, proxies: 0 },
    // An auditor who copies the log asks hundreds of times a second, a worker a few; in regtest all come from one machine.
    limits: regtest
      ? { readsPerMinute: 6_000_000, requestsPerMinute: 6_000_000, registrationsPerHour: 6_000_000 }
      : { readsPerMinute: 30_000, requestsPerMinute: 60_000, registrationsPerHour: 600 },
    bitcoind: { url: `http://127.0.0.1:${RPC_PORTS[network]}`, pollMs: regtest ? 500 : 5_000 },
    anchor: {
      method: 'dual',
      everyBlocks: regtest ? 1 : 6,
      targetBlocks: 6,
      floorSatPerKvb: 1_000n,
      ceilingSatPerKvb: 100_000n,
      capSats: 50_000n,
      dayCapSats: 200_000n,
      heartbeatBlocks: 1_008,
      topUpBelowBlocks: 1_008,
    },
    epoch: regtest
      ? {
          blocks: 12,
          verdictBlocks: 18,
          finalDepth: 6,
          beaconDelay: 1,
          maturityBlocks: 4,
          auditRoundBlocks: 1,
          suspensionBlocks: 24,
        }
      : {
          blocks: 144,
          verdictBlocks: 48,
          finalDepth: 6,
          beaconDelay: 6,
          maturityBlocks: 100,
          auditRoundBlocks: 6,
          // Two weeks.
          suspensionBlocks: 2_016,
        },
    // 10,000 sats a day that halve every four years; the cap is what the halvings approach: 2 · initial · halving.
    subsidy: { initialMsat: 10_000_000n, halvingEpochs: 1_460, capMsat: 29_200_000_000n },
    shares: { auditBasisPoints: 500 },
    reserve: { feeSats: 100_000n },
    payout: {
      thresholdSats: 10_000n,
      capSats: 50_000n,
      // A slip of the subsidy's or a thief's rules costs a day of this at most: 0.1 BTC.
      payeeCapSats: 2_000_000n,
      runCapSats: 5_000_000n,
      dayCapSats: 10_000_000n,
      feeShareBasisPoints: 1_000,
      maxPayees: 500,
      signer: 'keystore',
    },
    leases: { deadlineMs: 60_000, maxPerWorker: 256 },
    // Sixteen of the largest leases: hours of a slow model, minutes of a small one.
    audits: { maxOpenPerAuditor: 4_096, canaryBasisPoints: 100, plantedPerEpoch: 0 },
  }
}
