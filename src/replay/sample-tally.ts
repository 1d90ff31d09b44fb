/** A receipt whose audit the beacon asked for and the operator didn't get done in time. */
export interface MissedAudit {
  readonly epoch: number
  /** The submission's. */
  readonly entry: number
  readonly receipt: string
  /** Who had to audit it, in order, hex: as many rounds as were begun, one at least unless nobody could be drawn. */
  readonly auditors: readonly string[]
  /** The last block that may have anchored its verdict. */
  readonly cutoffHeight: number
  /** The entry that decided too late; null: none did. */
  readonly lateEntry: number | null
}

export interface SampleCounts {
  readonly receipts: number
  /** Those that had to be audited. */
  readonly due: number
  readonly missed: number
}

/** Of all settled epochs: what the beacon asked for, and what was not done in time. */
export interface SampleTally {
  /** Of one epoch. Missed audits are asked for at the end of the log: a verdict that is late comes after the settlement. */
  add(epoch: { receipts: number; due: number; missed: readonly (() => MissedAudit)[] }): void
  counts(): SampleCounts
  /** The first of them. */
  missed(): MissedAudit[]
}

/** All are counted; this many are named, in some 50 MB of JSON. */
const MAX_MISSED_NAMED = 100_000

export function openSampleTally(): SampleTally {
  let counts: SampleCounts = { receipts: 0, due: 0, missed: 0 }
  const named: (() => MissedAudit)[] = []

  return {
    add({ receipts, due, missed }) {
      counts = {
        receipts: counts.receipts + receipts,
        due: counts.due + due,
        missed: counts.missed + missed.length,
      }
      named.push(...missed.slice(0, MAX_MISSED_NAMED - named.length))
    },
    counts: () => counts,
    missed: () => named.map((name) => name()),
  }
}
