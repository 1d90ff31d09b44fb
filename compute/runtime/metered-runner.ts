import { type EnergyMeter, energyBetween } from '../energy/energy-meter.ts'
import type { Energy } from '../work/receipt.ts'
import type { ModelRunner, RunRequest, RunResult } from './model-runner.ts'

export interface MeteredResult extends RunResult {
  readonly energy: Energy
}

export interface Device {
  readonly meter: EnergyMeter
  /** Runs under way on it. */
  busy: number
}

/** Runs of one process, with what each used from the end of the one that it waited behind. */
export function meteredRunner(
  runner: Pick<ModelRunner, 'run'>,
  device: Device,
): (request: RunRequest) => Promise<MeteredResult> {
  let over: Promise<unknown> = Promise.resolve()

  async function metered(running: Promise<RunResult>, before: Promise<unknown>): Promise<MeteredResult> {
    // What fails while the one before it runs on has used nothing, and is known at once.
    await Promise.race([before, running])
    const { meter } = device
    device.busy += 1
    try {
      const begun = meter.millijoules()
      const result = await running
      // What runs on the device at the same time shares what it uses: nobody can tell them apart.
      const millijoules = energyBetween(begun, meter.millijoules(), device.busy)
      return { ...result, energy: { method: meter.method, millijoules } }
    } finally {
      device.busy -= 1
    }
  }

  return (request) => {
    const before = over
    const result = metered(runner.run(request), before)
    // Their ends alone: a chain of results would keep every output that was ever computed.
    over = Promise.allSettled([before, result]).then(() => undefined)
    return result
  }
}
