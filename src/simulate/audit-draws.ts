import { auditRate, drawAuditor, isSampled } from '../rules/sampling.ts'
import { AUDITORS, EPOCHS, named, OTHERS, RECEIPTS_PER_EPOCH, REWARD_MSAT, type Setting } from './setting.ts'

/** The played worker's key as an auditor. */
const PLAYER = named('player, as auditor')
const CANDIDATES = [...AUDITORS.slice(1), PLAYER]

/** In each epoch, how many audits of honest others' receipts there are, and how many of them the played worker draws. */
export type AuditDraws = { all: number; own: number }[]

/** One honest worker with a full stake is drawn in earnest and stands for all the others. */
export function drawAudits({ floor, maturityEpochs }: Setting, seed: string): AuditDraws {
  const unmaturedMsat = BigInt(maturityEpochs * RECEIPTS_PER_EPOCH) * REWARD_MSAT
  const rate = auditRate({ rewardMsat: REWARD_MSAT, unmaturedMsat, floor })
  return Array.from({ length: EPOCHS }, (_, epoch) => {
    const draws = { all: 0, own: 0 }
    for (let index = 0; index < RECEIPTS_PER_EPOCH; index++) {
      const receipt = {
        beacon: named(seed, 'beacon', epoch),
        submissionId: named('other submission', epoch),
        index,
      }
      if (!isSampled({ ...receipt, rate })) continue
      draws.all += 1
      if (drawAuditor({ ...receipt, round: 0, candidates: CANDIDATES }) === PLAYER) draws.own += 1
    }
    return { all: draws.all * Number(OTHERS), own: draws.own * Number(OTHERS) }
  })
}
