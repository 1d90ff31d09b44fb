import { describe, expect, test } from 'vitest'
import { NETWORK_NAMES } from '../../../anchor/network.ts'
import { calendarFaults } from '../../../src/rules/calendar.ts'

const keysOf = (faults: ReturnType<typeof calendarFaults>) => faults.map(({ key }) => key)

/** At every limit that regtest has. */
const TIGHT = { startHeight: 3, verdictBlocks: 6, beaconDelay: 2, finalDepth: 3, auditRoundBlocks: 100 }
/** At every limit: 6 + 6 blocks, 3 rounds of 12 + 1, 2 more. */
const SOUND = { startHeight: 6, verdictBlocks: 53, beaconDelay: 6, finalDepth: 6, auditRoundBlocks: 12 }

describe('a calendar on regtest', () => {
  test('may be as tight as draws and assignments allow, without time for all rounds', () => {
    expect(calendarFaults('regtest', TIGHT)).toEqual([])
  })

  test.each([
    ['verdictBlocks', { verdictBlocks: 5 }, 'more than beaconDelay + finalDepth'],
    ['verdictBlocks', { beaconDelay: 3 }, 'more than beaconDelay + finalDepth'],
    ['startHeight', { startHeight: 2 }, 'at least finalDepth'],
  ])('has a fault in %s with %o', (key, change, expected) => {
    expect(calendarFaults('regtest', { ...TIGHT, ...change })).toEqual([{ key, expected }])
  })

  test('has every fault named', () => {
    const faults = calendarFaults('regtest', { ...TIGHT, startHeight: 0, verdictBlocks: 0 })
    expect(keysOf(faults)).toEqual(['verdictBlocks', 'startHeight'])
  })
})

describe.each(NETWORK_NAMES.filter((name) => name !== 'regtest'))('a calendar on %s', (network) => {
  test('is sound at its limits', () => {
    expect(calendarFaults(network, SOUND)).toEqual([])
  })

  test.each([
    ['verdictBlocks', { verdictBlocks: 52 }, 'at least 53'],
    ['verdictBlocks', { auditRoundBlocks: 13 }, 'at least 56'],
    ['verdictBlocks', { beaconDelay: 7 }, 'at least 54'],
    ['beaconDelay', { beaconDelay: 5 }, 'at least 6 outside regtest'],
    ['finalDepth', { finalDepth: 5 }, 'at least 6 outside regtest'],
    ['startHeight', { startHeight: 5 }, 'at least finalDepth'],
  ])('has a fault in %s with %o', (key, change, expected) => {
    expect(calendarFaults(network, { ...SOUND, ...change })).toEqual([{ key, expected }])
  })

  test('has every fault named', () => {
    const none = { startHeight: 0, verdictBlocks: 0, beaconDelay: 1, finalDepth: 1, auditRoundBlocks: 1 }
    expect(keysOf(calendarFaults(network, none))).toEqual([
      'verdictBlocks',
      'startHeight',
      'verdictBlocks',
      'beaconDelay',
      'finalDepth',
    ])
  })
})
