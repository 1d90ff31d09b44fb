import { hex } from '../../compute/work/hex.ts'
import type { StatusOf } from '../log/entry.ts'
import { admissionRefusal } from '../rules/auditors.ts'
import type { ReplayState } from './replay-state.ts'

/** The operator's decision on who may audit, which counts from the first anchor that covers it. */
export function checkAuditor(
  { admissions, findings, genesis, workers }: ReplayState,
  { worker: key, status }: StatusOf<'auditor'>,
  index: number,
): void {
  const worker = workers.get(hex(key)) ?? null
  const isAdmitted = status === 'admitted'
  const refusal = admissionRefusal(admissions, { worker, isAdmitted, operator: genesis.auditor })
  findings.at('auditors', index)(
    refusal === null,
    refusal ?? '',
    () => `${hex(key)} can't be ${status}: ${refusal}`,
  )
  if (worker !== null && refusal === null) admissions.push({ entry: index, worker, isAdmitted })
}
