import type { NetworkName } from '../../anchor/network.ts'
import { AUDIT_ROUNDS } from './audit-rounds.ts'

/** DESIGN of sampling: fewer blocks and a miner could grind the beacon for a sample of its own liking. */
const MIN_BEACON_DELAY = 6
/** Bitcoin's custom: a deeper reorg has no precedent since 2013. */
const MIN_FINAL_DEPTH = 6

/** As far as one number of blocks depends on another. */
interface Calendar {
  readonly startHeight: number
  readonly verdictBlocks: number
  readonly beaconDelay: number
  readonly finalDepth: number
  readonly auditRoundBlocks: number
}

interface CalendarFault {
  readonly key: keyof Calendar
  readonly expected: string
}

/** Why work could not be assigned and audited by a calendar as the rules have it. */
export function calendarFaults(network: NetworkName, calendar: Calendar): CalendarFault[] {
  const { startHeight, verdictBlocks, beaconDelay, finalDepth, auditRoundBlocks } = calendar
  const faults: CalendarFault[] = []
  const require = (holds: boolean, key: keyof Calendar, expected: string) => {
    if (!holds) faults.push({ key, expected })
  }
  // The draw of an anchor in an epoch's last block is known this much later.
  require(verdictBlocks > beaconDelay + finalDepth, 'verdictBlocks', 'more than beaconDelay + finalDepth')
  // The block that assigns epoch 0's work lies so far before it.
  require(startHeight >= finalDepth, 'startHeight', 'at least finalDepth')
  if (network === 'regtest') return faults
  // Work anchored in an epoch's last block is drawn when its beacon is final, its last round ends by silence, and the anchor
  // of that verdict is mined: all before the cutoff, or silence would pay.
  const neededBlocks = beaconDelay + finalDepth + AUDIT_ROUNDS * (auditRoundBlocks + 1) + 2
  require(verdictBlocks >= neededBlocks, 'verdictBlocks', `at least ${neededBlocks}`)
  require(beaconDelay >= MIN_BEACON_DELAY, 'beaconDelay', `at least ${MIN_BEACON_DELAY} outside regtest`)
  require(finalDepth >= MIN_FINAL_DEPTH, 'finalDepth', `at least ${MIN_FINAL_DEPTH} outside regtest`)
  return faults
}
