import { expect, test } from 'vitest'
import type { EnergyMeter } from '../../../compute/energy/energy-meter.ts'
import { runMetered } from '../../../compute/runtime/run-metered.ts'

const MANNER = {
  modelPath: '',
  modelDigest: '',
  profile: { optimization: 'all', threads: 1, precision: 'fp32' },
  deadlineMs: 0,
} as const
const RUN = {
  outputs: new Uint8Array(),
  startedMs: 0,
  finishedMs: 0,
  profile: { ...MANNER.profile, batch: 1, device: 'a device', ort: '1', provider: 'cpu' },
} as const

function meter(...readings: (number | null)[]): EnergyMeter {
  return {
    method: 'rapl',
    millijoules: () => readings.shift() ?? null,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

test.each([
  ['shared by the runs of one exchange and by the processes on the device', meter(5_000, 6_000), 125],
  ['unknown where one reading is', meter(5_000, null), null],
])('what was used is %s', async (_, energy, millijoules) => {
  const device = { meter: energy, busy: 1 }
  const runner = { runEach: async () => [RUN, RUN, RUN, RUN] }
  const bundles = Array.from({ length: 4 }, () => new Uint8Array())
  const results = await runMetered(runner, device, MANNER, bundles)
  expect(results.map((one) => one.energy)).toEqual(Array(4).fill({ method: 'rapl', millijoules }))
  expect(device.busy).toBe(1)
})
