import { Counter, type Registry } from 'prom-client'
import type { EnergySum } from '../coordinator/energy-tally.ts'

const MILLIJOULES_PER_JOULE = 1e3

/** Joules and the units that took them, by method: their quotient is what a unit takes. What nobody measured has no sample. */
export function registerEnergy(measured: readonly EnergySum[], registry: Registry): void {
  const options = { labelNames: ['subnet', 'method'], registers: [registry] }
  const joules = new Counter({
    ...options,
    name: 'assay_energy_joules_total',
    help: 'What workers say that measured work took, by how they measured.',
  })
  const units = new Counter({
    ...options,
    name: 'assay_energy_units_total',
    help: 'Units of that work.',
  })
  for (const { subnet, method, millijoules, units: done } of measured) {
    joules.inc({ subnet, method }, Number(millijoules) / MILLIJOULES_PER_JOULE)
    units.inc({ subnet, method }, Number(done))
  }
}
