/** Who may audit: genesis' auditor and the keys that the operator has admitted (docs/PROTOCOL.md §7). Keys are free, admissions aren't. */

/** A registered key and where its earnings go. */
interface Auditor {
  readonly key: Uint8Array
  readonly address: string
}

/** What a `status` entry on an auditor says. */
export interface Admission {
  /** Its index in the log. */
  readonly entry: number
  readonly worker: Auditor
  readonly isAdmitted: boolean
}

/** Bounds the ranking of one draw; each of them is a decision of the operator's. */
export const MAX_AUDITORS = 1_000

/** Why a key's admission can't be changed so; null: it can. `worker`: null where the key isn't registered. */
export function admissionRefusal(
  admissions: readonly Admission[],
  { worker, isAdmitted, operator }: { worker: Auditor | null; isAdmitted: boolean; operator: Uint8Array },
): 'worker_unknown' | 'auditor_of_genesis' | 'auditor_status_same' | 'auditors_full' | null {
  if (worker === null) return 'worker_unknown'
  if (isSame(worker.key, operator)) return 'auditor_of_genesis'
  const admitted = admittedAt(admissions, Number.POSITIVE_INFINITY)
  if (admitted.has(nameOf(worker.key)) === isAdmitted) return 'auditor_status_same'
  return isAdmitted && admitted.size >= MAX_AUDITORS ? 'auditors_full' : null
}

/** In hex, by all of them. */
export function admittedKeys(admissions: readonly Admission[]): ReadonlySet<string> {
  return new Set(admittedAt(admissions, Number.POSITIVE_INFINITY).keys())
}

/** Those admitted by the first `size` entries, and the operator's own where it is given. */
export function auditorsAt(
  admissions: readonly Admission[],
  { size, operator }: { size: number; operator: Auditor | null },
): Auditor[] {
  const admitted = [...admittedAt(admissions, size).values()]
  return operator === null ? admitted : [...admitted, operator]
}

/**
 * Keys that may audit an author's receipts: neither its own nor one that is paid at its address. The operator's is left
 * out as the author alone: whoever registers with its address must not so get rid of it.
 */
export function auditorsOf(
  author: Auditor,
  { auditors, operator }: { auditors: readonly Auditor[]; operator: Uint8Array },
): Uint8Array[] {
  return auditors
    .filter(({ key, address }) => {
      if (isSame(key, author.key)) return false
      return address !== author.address || isSame(key, operator)
    })
    .map(({ key }) => key)
}

/** In the order of the log: the last word on each key counts. */
function admittedAt(admissions: readonly Admission[], size: number): Map<string, Auditor> {
  const admitted = new Map<string, Auditor>()
  for (const { entry, worker, isAdmitted } of admissions) {
    if (entry >= size) break
    if (isAdmitted) admitted.set(nameOf(worker.key), worker)
    else admitted.delete(nameOf(worker.key))
  }
  return admitted
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key).toString('hex')
}
