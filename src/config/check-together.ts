/** What no key can be checked for alone. */
import type { NetworkName } from '../../anchor/network.ts'
import { AUDIT_ROUNDS } from '../rules/audit-rounds.ts'

/** DESIGN of sampling: fewer blocks and a miner could grind the beacon for a sample of its own liking. */
const MIN_BEACON_DELAY = 6
/** Bitcoin's custom: a deeper reorg has no precedent since 2013. */
const MIN_FINAL_DEPTH = 6

interface Checked {
  network: NetworkName
  bitcoind: { cookieFile?: string; username?: string; password?: string }
  anchor: { floorSatPerKvb: bigint; ceilingSatPerKvb: bigint; capSats: bigint; dayCapSats: bigint }
  epoch: {
    startHeight: number
    verdictBlocks: number
    beaconDelay: number
    finalDepth: number
    auditRoundBlocks: number
  }
  subsidy: { initialMsat: bigint; capMsat: bigint }
  payout: {
    thresholdSats: bigint
    payeeCapSats: bigint
    runCapSats: bigint
    dayCapSats: bigint
    signer: 'keystore' | 'psbt'
    treasuryKey?: string
  }
}

export function checkTogether(
  { network, bitcoind, anchor, epoch, subsidy, payout }: Checked,
  context: { addIssue(issue: { code: 'custom'; path: string[]; message: string }): void },
): void {
  const require = (holds: boolean, key: string, message: string) => {
    if (!holds) context.addIssue({ code: 'custom', path: key.split('.'), message })
  }
  const { cookieFile, username, password } = bitcoind
  require((username === undefined) ===
    (password === undefined), 'bitcoind.username', 'username and password go together')
  require((cookieFile === undefined) !==
    (username === undefined), 'bitcoind.cookieFile', 'expected either cookieFile, or username and password')
  require(anchor.floorSatPerKvb <=
    anchor.ceilingSatPerKvb, 'anchor.floorSatPerKvb', 'expected no more than ceilingSatPerKvb')
  require(anchor.capSats <= anchor.dayCapSats, 'anchor.capSats', 'expected no more than dayCapSats')
  require(subsidy.initialMsat <= subsidy.capMsat, 'subsidy.initialMsat', 'expected no more than capMsat')
  // Whoever is owed enough must fit into some payout.
  require(payout.thresholdSats <=
    payout.payeeCapSats, 'payout.thresholdSats', 'expected no more than payeeCapSats')
  require(payout.payeeCapSats <= payout.runCapSats, 'payout.payeeCapSats', 'expected no more than runCapSats')
  require(payout.runCapSats <= payout.dayCapSats, 'payout.runCapSats', 'expected no more than dayCapSats')
  require((payout.signer === 'psbt') ===
    (payout.treasuryKey !== undefined), 'payout.treasuryKey', 'expected with signer psbt, and only then')
  // The draw of an anchor in an epoch's last block is known this much later.
  const { verdictBlocks, beaconDelay, finalDepth, auditRoundBlocks } = epoch
  require(verdictBlocks >
    beaconDelay + finalDepth, 'epoch.verdictBlocks', 'expected more than beaconDelay + finalDepth')
  // The block that assigns epoch 0's work lies so far before it.
  require(epoch.startHeight >= epoch.finalDepth, 'epoch.startHeight', 'expected at least finalDepth')
  if (network === 'regtest') return
  // Work anchored in an epoch's last block is drawn when its beacon is final, its last round ends by silence, and the anchor
  // of that verdict is mined: all before the cutoff, or silence would pay.
  const neededBlocks = beaconDelay + finalDepth + AUDIT_ROUNDS * (auditRoundBlocks + 1) + 2
  require(verdictBlocks >= neededBlocks, 'epoch.verdictBlocks', `expected at least ${neededBlocks}`)
  require(epoch.beaconDelay >=
    MIN_BEACON_DELAY, 'epoch.beaconDelay', `expected at least ${MIN_BEACON_DELAY} outside regtest`)
  require(epoch.finalDepth >=
    MIN_FINAL_DEPTH, 'epoch.finalDepth', `expected at least ${MIN_FINAL_DEPTH} outside regtest`)
}
