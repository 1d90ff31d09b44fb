import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cpuClass } from './cpu-class.ts'
import type { Provider } from './runner-message.ts'

const CPUINFO = '/proc/cpuinfo'

/** One folder per GPU, written by NVIDIA's driver on Linux. */
const NVIDIA_GPUS = '/proc/driver/nvidia/gpus'

/** What a receipt calls the device: the CPU's class, or the GPU's name, or `unknown` where the system does not say. */
export function deviceName(provider: Provider): string {
  if (provider === 'cpu') {
    return cpuClass(process.arch, existsSync(CPUINFO) ? readFileSync(CPUINFO, 'utf8') : '')
  }
  // WebGPU picks an adapter by itself and ONNX Runtime does not tell which.
  return provider === 'cuda' ? nvidiaName() : 'unknown'
}

/** The first GPU's, which is the one that the CUDA provider takes by default. */
function nvidiaName(): string {
  const [first] = existsSync(NVIDIA_GPUS) ? readdirSync(NVIDIA_GPUS).sort() : []
  if (first === undefined) return 'unknown'
  const information = readFileSync(join(NVIDIA_GPUS, first, 'information'), 'utf8')
  return /^Model:\s*(.+)$/m.exec(information)?.[1]?.trim() ?? 'unknown'
}
