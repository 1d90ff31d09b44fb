import type { Energy } from '../../compute/work/receipt.ts'

/** What receipts with a reading come to. */
export interface MeasuredEnergy {
  readonly subnet: string
  /** How the workers say that they know. */
  readonly method: string
  readonly millijoules: bigint
  readonly units: bigint
}

/** Sums of what workers told since this process began: shown, never paid. */
export interface EnergyTally {
  add(subnet: string, units: bigint, energy: Energy): void
  all(): MeasuredEnergy[]
}

/** Those of this program's own workers (compute/energy/). The text is the worker's: any other could be a new one each time. */
const METHODS: readonly string[] = ['rapl', 'nvidia-smi-power']

export function createEnergyTally(): EnergyTally {
  const sums = new Map<string, MeasuredEnergy>()
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
