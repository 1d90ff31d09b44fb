import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EnergyMeter } from './energy-meter.ts'

/** Linux's power capping framework (Documentation/power/powercap/powercap.rst). */
export const POWERCAP = '/sys/class/powercap'

/** A package as a whole; `intel-rapl:0:0` and so on are parts of it, and `psys` holds all packages again. AMD's go by Intel's name. */
const PACKAGE_ZONE = /^intel-rapl:\d+$/
const PACKAGE_NAME = /^package-\d+$/

const MICROJOULES_PER_MILLIJOULE = 1_000

interface Zone {
  readonly file: string
  /** The counter goes back to zero after that. */
  readonly rangeMicrojoules: number
  last: number
  sum: number
}

/** All CPU packages together; null where there are none, or they are not ours to read (since Linux 5.10 only root may). */
export function openRaplMeter(folder: string): EnergyMeter | null {
  const zones = packageZones(folder)
  if (zones === null || zones.length === 0) return null
  return {
    method: 'rapl',
    millijoules() {
      for (const zone of zones) {
        const now = readCount(zone.file)
        if (now === null) return null
        zone.sum += now >= zone.last ? now - zone.last : zone.rangeMicrojoules - zone.last + now
        zone.last = now
      }
      return zones.reduce((sum, zone) => sum + zone.sum, 0) / MICROJOULES_PER_MILLIJOULE
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

/** Null where one of them can't be read: a sum without it would be wrong. */
function packageZones(folder: string): Zone[] | null {
  const zones: Zone[] = []
  for (const name of list(folder).filter((entry) => PACKAGE_ZONE.test(entry))) {
    if (!PACKAGE_NAME.test(readText(join(folder, name, 'name')) ?? '')) continue
    const file = join(folder, name, 'energy_uj')
    const [last, rangeMicrojoules] = [readCount(file), readCount(join(folder, name, 'max_energy_range_uj'))]
    if (last === null || rangeMicrojoules === null) return null
    zones.push({ file, rangeMicrojoules, last, sum: 0 })
  }
  return zones
}

function readCount(file: string): number | null {
  const text = readText(file)
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // No Linux, or none of its powercap drivers.
  }
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return null // Not there, or not ours to read: unknown either way.
  }
}
