/** How energy is known, where it is. */
export const ENERGY_METHODS = ['rapl', 'nvidia-smi-power'] as const

/** What a device has used so far. Two readings' difference is what went by between them, whoever caused it. */
export interface EnergyMeter extends AsyncDisposable {
  readonly method: (typeof ENERGY_METHODS)[number] | 'none'
  /** Null is "unknown", which zero is not. */
  millijoules(): number | null
}

/** Whole millijoules between two readings, of which `share` runs were under way; null where either is unknown. */
export function energyBetween(before: number | null, after: number | null, share: number): number | null {
  return before === null || after === null ? null : Math.round((after - before) / share)
}
