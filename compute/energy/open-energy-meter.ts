import type { Provider } from '../runtime/runner-message.ts'
import type { EnergyMeter } from './energy-meter.ts'
import { openNvidiaMeter } from './nvidia-meter.ts'
import { openRaplMeter, POWERCAP } from './rapl-meter.ts'

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
