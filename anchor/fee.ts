import assert from 'node:assert/strict'

/** What the node asks for and expects, all in satoshis per 1,000 vbytes. */
export interface FeeMarket {
  /** null where the node can't tell: regtest, or just started. */
  estimateSatPerKvb: bigint | null
  mempoolMinSatPerKvb: bigint
  relayMinSatPerKvb: bigint
  /** What a replacement pays on top, per vbyte of its own. */
  incrementalSatPerKvb: bigint
}

export interface FeeLimits {
  floorSatPerKvb: bigint
  ceilingSatPerKvb: bigint
  /** For one transaction, whatever its size. */
  capSats: bigint
}

export interface FeeQuestion extends FeeMarket, FeeLimits {
  vsize: number
  /** Fees of all that would be evicted, descendants included, and the vsize of the one replaced directly. */
  replaces?: { feeSats: bigint; vsize: number }
}

type FeeAnswer =
  | { kind: 'fee'; feeSats: bigint }
  | { kind: 'stalled'; reason: 'ceiling_reached' | 'cap_reached'; neededSats: bigint }

/**
 * The fee of one transaction: clamp(max(estimate, mempool minimum, relay minimum), floor, ceiling, cap), and at
 * least what a replacement needs. Stalled when what the node would accept lies above the operator's limits.
 */
export function anchorFee(question: FeeQuestion): FeeAnswer {
  const { vsize, capSats, floorSatPerKvb, ceilingSatPerKvb } = question
  assert(Number.isSafeInteger(vsize) && vsize > 0, `vsize out of range: ${vsize}`)
  assert(floorSatPerKvb <= ceilingSatPerKvb, 'fee floor above its ceiling')
  const neededSats = largest(
    feeAt(largest(question.mempoolMinSatPerKvb, question.relayMinSatPerKvb), vsize),
    replacementFee(question),
  )
  const ceilingSats = (ceilingSatPerKvb * BigInt(vsize)) / 1000n
  if (neededSats > ceilingSats) return { kind: 'stalled', reason: 'ceiling_reached', neededSats }
  if (neededSats > capSats) return { kind: 'stalled', reason: 'cap_reached', neededSats }
  const wantedSats = feeAt(largest(question.estimateSatPerKvb ?? 0n, floorSatPerKvb), vsize)
  const feeSats = smallest(largest(wantedSats, neededSats), smallest(ceilingSats, capSats))
  return { kind: 'fee', feeSats }
}

/**
 * BIP-125 rules 3 and 4 as Bitcoin Core checks them (policy/rbf.cpp): all fees that it evicts, plus the incremental
 * relay fee for its own size; and a higher feerate than what it replaces. The whole evicted fee over the size of
 * the replaced one alone is a bound on the safe side of any chunk's feerate.
 */
function replacementFee({ replaces, incrementalSatPerKvb, vsize }: FeeQuestion): bigint {
  if (replaces === undefined) return 0n
  const byFee = replaces.feeSats + largest(feeAt(incrementalSatPerKvb, vsize), 1n)
  const byRate = (replaces.feeSats * BigInt(vsize)) / BigInt(replaces.vsize) + 1n
  return largest(byFee, byRate)
}

/** Rounded up, as CFeeRate::GetFee does. */
function feeAt(satPerKvb: bigint, vsize: number): bigint {
  return (satPerKvb * BigInt(vsize) + 999n) / 1000n
}

function largest(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

function smallest(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
