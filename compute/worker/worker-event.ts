/** What a worker tells its owner, for logs and figures. Ids and digests in hex. */
export type WorkerEvent =
  | { type: 'registered'; worker: string; index: number }
  | { type: 'started'; provider: string; device: string }
  | { type: 'fetched'; model: string; bytes: number }
  /** Its file went, to make room for another. */
  | { type: 'evicted'; model: string; bytes: number }
  | { type: 'leased'; jobs: number }
  /** The coordinator has no work for this key, whatever there is to do: such as `audit_capacity_full`. */
  | { type: 'idle'; reason: string }
  /** Of one lease, when nothing is left of it. `tookMs`: from the first one's start to the last one's end. `millijoules` null: unknown. */
  | { type: 'ran'; jobs: number; tookMs: number; methods: readonly string[]; millijoules: number | null }
  /** The job went back to the coordinator. */
  | { type: 'failed'; job: string; reason: string }
  /** The coordinator won't have this receipt; nothing is earned with it. */
  | { type: 'refused'; receipt: string; code: string; detail: string }
  /** Acknowledged: entry `index` of the log. */
  | { type: 'submitted'; sequence: number; receipts: number; index: number }
  | { type: 'audited'; receipt: string; verdict: 'pass' | 'fail' | 'inconclusive' }
  | { type: 'warning'; code: string; detail: string }

export type OnWorkerEvent = (event: WorkerEvent) => void
