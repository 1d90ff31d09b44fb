import type { Provider } from '../runtime/runner-message.ts'
import { openNvidiaMeter } from './nvidia-meter.ts'
import { openRaplMeter, POWERCAP } from './rapl-meter.ts'

/** What a device has used so far. Two readings' difference is what went by between them, whoever caused it. */
export interface EnergyMeter extends AsyncDisposable {
  /** How it is known: `rapl`, `nvidia-smi-power`, or `none`. */
  readonly method: string
  /** Null is "unknown", which zero is not. */
  millijoules(): number | null
}

const NO_METER: EnergyMeter = {
  method: 'none',
  millijoules: () => null,
  [Symbol.asyncDispose]: async () => {},
}

/**
 * The best that there is for the device: power by nvidia-smi times time for CUDA (NVML's counter of energy has no way out of nvidia-smi, and
 * Node no binding to it), RAPL for the CPU, else none. WebGPU does not say which device it uses.
 *
 * @param device as CUDA counts GPUs in the order of their PCI bus
 */
export function openEnergyMeter(provider: Provider, device: number): EnergyMeter {
  switch (provider) {
    case 'cuda':
      return openNvidiaMeter(device)
    case 'cpu':
      return openRaplMeter(POWERCAP) ?? NO_METER
    case 'webgpu':
      return NO_METER
  }
}

/** Whole millijoules between two readings, of which `share` runs were under way; null where either is unknown. */
export function energyBetween(before: number | null, after: number | null, share: number): number | null {
  return before === null || after === null ? null : Math.round((after - before) / share)
}
