import { ENERGY_METHODS } from '../../compute/energy/energy-meter.ts'
import type { Energy } from '../../compute/work/receipt.ts'

/** What receipts with a reading come to. */
export interface EnergySum {
  readonly subnet: string
  /** How the workers say that they know. */
  readonly method: string
  readonly millijoules: bigint
  readonly units: bigint
}

/** Sums of what workers told since this process began: shown, never paid. */
export interface EnergyTally {
  add(subnet: string, units: bigint, energy: Energy): void
  all(): EnergySum[]
}

/** The text is the worker's: one that this program's own meters don't have could be a new one each time. */
const METHODS: readonly string[] = ENERGY_METHODS

export function createEnergyTally(): EnergyTally {
  const sums = new Map<string, EnergySum>()
  return {
    add(subnet, units, { method, millijoules }) {
      if (millijoules === null || !METHODS.includes(method)) return
      const key = `${subnet}/${method}`
      const sum = sums.get(key) ?? { subnet, method, millijoules: 0n, units: 0n }
      sums.set(key, {
        ...sum,
        millijoules: sum.millijoules + BigInt(millijoules),
        units: sum.units + units,
      })
    },
    all: () => [...sums.values()],
  }
}
