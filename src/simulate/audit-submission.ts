import assert from 'node:assert/strict'
import { observe, type Suspicion, standingOf } from '../rules/cusum.ts'
import type { Evidence } from '../rules/cusum-evidence.ts'
import { drawAuditor, isSampled, type Ratio } from '../rules/sampling.ts'
import { AUDITORS, FALSE_FAIL_RATE } from './setting.ts'
import type { Strategy } from './strategies.ts'

interface Submission {
  beacon: Uint8Array
  submissionId: Uint8Array
  receipts: number
  cheatShare: number
  rate: Ratio
}

interface AuditedSubmission {
  /** Receipts by what is known of them. */
  pass: number
  fail: number
  unsampled: number
  cheated: number
  suspicion: Suspicion
}

/** Draws a submission's audits and their auditors by the product's rules, and observes each verdict until one suspends. */
export function auditSubmission(
  { receipts, cheatShare, rate, ...drawn }: Submission,
  before: Suspicion,
  evidence: Evidence,
  { detection, bribedAuditors }: Pick<Strategy, 'detection' | 'bribedAuditors'>,
  random: () => number,
): AuditedSubmission {
  const bribed = new Set(AUDITORS.slice(0, bribedAuditors))
  const audited: AuditedSubmission = { pass: 0, fail: 0, unsampled: 0, cheated: 0, suspicion: before }
  for (let index = 0; index < receipts; index++) {
    const isCheated = random() < cheatShare
    if (isCheated) audited.cheated += 1
    const receipt = { beacon: drawn.beacon, submissionId: drawn.submissionId, index }
    if (standingOf(audited.suspicion) === 'suspended' || !isSampled({ ...receipt, rate })) {
      audited.unsampled += 1
      continue
    }
    const auditor = drawAuditor({ ...receipt, round: 0, candidates: AUDITORS })
    assert(auditor !== null, 'there are twelve auditors')
    const failRate = isCheated ? detection : FALSE_FAIL_RATE
    const verdict = !bribed.has(auditor) && random() < failRate ? 'fail' : 'pass'
    audited[verdict] += 1
    const observation = { verdict, auditor: Buffer.from(auditor).toString('hex'), evidence } as const
    audited.suspicion = observe(audited.suspicion, observation)
  }
  return audited
}
