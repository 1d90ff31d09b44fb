import { createRequire } from 'node:module'
import { z } from 'zod'
import { deviceName } from '../../compute/runtime/device-name.ts'

/** The `exact` profile of this machine's CPU class: what runs under it is bitwise repeatable on any of the class (DESIGN §7). */
export function exactProfile() {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json')
  return {
    comparison: 'exact',
    device: deviceName('cpu'),
    optimization: 'disabled',
    ort: z.string().parse(version),
    precision: 'fp32',
    provider: 'cpu',
    threads: 1,
  } as const
}
