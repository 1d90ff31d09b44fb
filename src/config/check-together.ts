/** What no key can be checked for alone. */
import type { NetworkName } from '../../anchor/network.ts'
import { calendarFaults } from '../rules/calendar.ts'

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
  for (const { key, expected } of calendarFaults(network, epoch)) {
    require(false, `epoch.${key}`, `expected ${expected}`)
  }
}
