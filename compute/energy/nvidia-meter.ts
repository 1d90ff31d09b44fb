import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { EnergyMeter } from './energy-meter.ts'
import { parsePowerLine } from './parse-power-line.ts'
import { createPowerIntegral } from './power-integral.ts'

/** The driver's own sensor is not renewed more often. */
const EVERY_MS = 100

/** Power of one GPU, as nvidia-smi reads it from NVML, times time. Without nvidia-smi it knows nothing. */
export function openNvidiaMeter(device: number, command = 'nvidia-smi'): EnergyMeter {
  const integral = createPowerIntegral()
  const child = spawn(
    command,
    [`--id=${device}`, '--query-gpu=power.draw', '--format=csv,noheader,nounits', `--loop-ms=${EVERY_MS}`],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => resolve())
    // Not installed: what is unknown stays so.
    child.once('error', () => resolve())
  })
  createInterface(child.stdout).on('line', (line) => integral.add(parsePowerLine(line), performance.now()))
  return {
    method: 'nvidia-smi-power',
    millijoules: () => integral.millijoules(performance.now()),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await closed
    },
  }
}
