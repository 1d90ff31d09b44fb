import { type EnergyMeter, energyBetween } from '../energy/energy-meter.ts'
import type { Energy } from '../work/receipt.ts'
import type { PooledRunner, RunManner, RunResult } from './model-runner.ts'

export interface MeteredResult extends RunResult {
  readonly energy: Energy
}

export interface Device {
  readonly meter: EnergyMeter
  /** Processes that run something on it. */
  busy: number
}

/** `runEach`, with what it used; each of its runs is said to have used as much as the others. */
export async function runMetered(
  runner: Pick<PooledRunner, 'runEach'>,
  device: Device,
  manner: RunManner,
  bundles: readonly Uint8Array[],
  limitMs?: number,
): Promise<MeteredResult[]> {
  const { meter } = device
  device.busy += 1
  try {
    const begun = meter.millijoules()
    const results = await runner.runEach(manner, bundles, limitMs)
    // What runs on the device at the same time shares what it uses: nobody can tell them apart.
    const millijoules = energyBetween(begun, meter.millijoules(), device.busy * bundles.length)
    return results.map((result) => ({ ...result, energy: { method: meter.method, millijoules } }))
  } finally {
    device.busy -= 1
  }
}
