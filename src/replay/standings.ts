import type { AuditorRecords } from '../rules/canaries.ts'
import { type AuditedReceipt, NO_RECORD, type Standings, type WorkerRecord } from '../rules/standings.ts'

export type ReplayedStandings = Standings & AuditorRecords

/** What is known of the workers, in memory. @param addressOf payout address by key, hex */
export function openStandings(addressOf: (worker: string) => string): ReplayedStandings {
  const records = new Map<string, WorkerRecord>()
  const auditors = new Map<string, WorkerRecord>()
  /** What was set aside, by frozen model. */
  const aside = new Map<string, AuditedReceipt[]>()
  /** The entry of the last audit, by model and worker. */
  const audits = new Map<string, Map<string, number>>()

  return {
    recordOf: (worker) => records.get(worker) ?? NO_RECORD,
    setRecord: (worker, record) => void records.set(worker, record),
    auditorRecordOf: (auditor) => auditors.get(auditor) ?? NO_RECORD,
    setAuditorRecord: (auditor, record) => void auditors.set(auditor, record),
    isFrozen: (model) => aside.has(model),
    freeze: (model) => void aside.set(model, []),
    thaw(model) {
      const kept = aside.get(model) ?? []
      aside.delete(model)
      return kept
    },
    setAside: (audit) => void aside.get(audit.model)?.push(audit),
    noteAudit({ model, worker, entry }) {
      const known = audits.get(model) ?? new Map<string, number>()
      audits.set(model, known.set(worker, entry))
    },
    auditedSince: (model, entry) =>
      [...(audits.get(model) ?? [])]
        .filter(([, last]) => last >= entry)
        .map(([worker]) => ({ worker, address: addressOf(worker) })),
    failedOn: (model) =>
      [...records]
        .filter(([, { fails }]) => fails.some((fail) => fail.model === model))
        .map(([worker]) => worker)
        .sort(),
  }
}
