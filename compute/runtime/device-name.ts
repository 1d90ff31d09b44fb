import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cpuClass } from './cpu-class.ts'
import type { Provider } from './runner-message.ts'

const CPUINFO = '/proc/cpuinfo'

/** One folder per GPU, written by NVIDIA's driver on Linux. */
const NVIDIA_GPUS = '/proc/driver/nvidia/gpus'

/** What a receipt calls the device: the CPU's class, or the GPU's name, or `unknown` where the system does not say. @param gpu by PCI bus */
export function deviceName(provider: Provider, gpu = 0): string {
  if (provider === 'cpu') {
    return cpuClass(process.arch, existsSync(CPUINFO) ? readFileSync(CPUINFO, 'utf8') : '')
  }
  // WebGPU picks an adapter by itself and ONNX Runtime does not tell which.
  return provider === 'cuda' ? nvidiaName(gpu) : 'unknown'
}

function nvidiaName(gpu: number): string {
  const folder = existsSync(NVIDIA_GPUS) ? readdirSync(NVIDIA_GPUS).sort()[gpu] : undefined
  if (folder === undefined) return 'unknown'
  const information = readFileSync(join(NVIDIA_GPUS, folder, 'information'), 'utf8')
  return /^Model:\s*(.+)$/m.exec(information)?.[1]?.trim() ?? 'unknown'
}
