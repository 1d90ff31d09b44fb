import assert from 'node:assert/strict'
import { type Evidence, NAT_BITS } from './cusum-evidence.ts'

/**
 * h: 16 nats. At p0 = 0.3 % it convicts 11 of 20,000 honest workers within 100,000 audits, and 19,969 of 20,000 that cheat in a
 * tenth of their receipts within some 200 (`assay simulate --statistic`).
 */
export const THRESHOLD = 16n << NAT_BITS

/** From half of it nothing matures until passes have lowered the score again. */
const HOLD = THRESHOLD / 2n

/** One auditor alone, wrong or bribed, convicts nobody. */
const AUDITORS_TO_CONVICT = 2

/** A worker's record over all subnets since it was last beyond doubt. */
export interface Suspicion {
  /** 0 to 16 nats, in 2^-32 nats. */
  readonly score: bigint
  /** Who failed it meanwhile, at most the first two; of an auditor, which known answers did. */
  readonly failedBy: readonly string[]
}

export type Standing = 'good' | 'held' | 'suspended'

/** A new worker's, and one's that returns from suspension. */
export const NO_SUSPICION: Suspicion = { score: 0n, failedBy: [] }

interface Observation {
  verdict: 'pass' | 'fail' | 'inconclusive'
  /** Key, hex; of an auditor, the receipt whose known answer says it. */
  auditor: string
  /** Of the audited receipt's model. */
  evidence: Evidence
}

/**
 * Page's CUSUM (Biometrika 41, 1954): passes lower the score and fails raise it, but never below 0, so that no record of
 * honest work, however long, lets a worker cheat on credit. Nor above the threshold, so that one auditor's enmity is outlived.
 * A suspension lasts until the worker begins again with `NO_SUSPICION`.
 */
export function observe(suspicion: Suspicion, { verdict, auditor, evidence }: Observation): Suspicion {
  if (verdict === 'inconclusive' || standingOf(suspicion) === 'suspended') return suspicion
  if (verdict === 'pass') return observePasses(suspicion, evidence, 1)
  const { score, failedBy } = suspicion
  const raised = score + evidence.fail
  return {
    score: raised < THRESHOLD ? raised : THRESHOLD,
    failedBy: [...new Set([...failedBy, auditor])].slice(0, AUDITORS_TO_CONVICT),
  }
}

/** The same as so many observed passes. */
export function observePasses(suspicion: Suspicion, evidence: Evidence, count: number): Suspicion {
  assert(Number.isSafeInteger(count) && count >= 0, 'passes are counted')
  if (count === 0 || standingOf(suspicion) === 'suspended') return suspicion
  const score = suspicion.score - evidence.pass * BigInt(count)
  return score > 0n ? { ...suspicion, score } : NO_SUSPICION
}

export function standingOf({ score, failedBy }: Suspicion): Standing {
  if (score >= THRESHOLD && failedBy.length >= AUDITORS_TO_CONVICT) return 'suspended'
  return score >= HOLD ? 'held' : 'good'
}
