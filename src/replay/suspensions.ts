/** From the entry that suspended a worker to the one that let it return. */
export interface Suspension {
  readonly from: number
  to: number | null
}

interface Suspended {
  /** By key, hex, oldest first. */
  readonly suspensions: ReadonlyMap<string, readonly Suspension[]>
}

/** The entry that last suspended the worker. */
export function lastSuspension({ suspensions }: Suspended, worker: string): number | null {
  return suspensions.get(worker)?.at(-1)?.from ?? null
}

/** Whether the worker was suspended when the log had `size` entries. */
export function wasSuspended({ suspensions }: Suspended, worker: string, size: number): boolean {
  const known = suspensions.get(worker) ?? []
  return known.some(({ from, to }) => from < size && (to === null || to >= size))
}
