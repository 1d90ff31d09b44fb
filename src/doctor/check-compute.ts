import { CUDA_FIXES, type CudaPart, missingCudaParts } from '../../compute/runtime/cuda-parts.ts'
import { deviceName } from '../../compute/runtime/device-name.ts'
import { startModelRunner } from '../../compute/runtime/model-runner.ts'
import { RunError } from '../../compute/runtime/run-error.ts'
import { type Finding, ok, warn } from './finding.ts'

const PROVIDERS = ['cuda', 'webgpu', 'cpu'] as const
type Provider = (typeof PROVIDERS)[number]

/** ONNX Runtime's messages may quote a stack. */
const MAX_REASON_CHARACTERS = 200

interface Probe {
  readonly provider: Provider
  readonly device: string
  /** Null when it computes rightly. */
  readonly refusal: string | null
}

/**
 * What this machine could compute with, each provider tried in a process of its own. A coordinator runs without: no finding fails.
 */
export async function checkCompute(): Promise<Finding> {
  const probes: Probe[] = []
  for (const provider of PROVIDERS) probes.push(await probe(provider))
  return judgeProbes(probes, deviceName('cuda'), await missingParts())
}

/** None can be told where onnxruntime-node itself is missing. */
async function missingParts(): Promise<CudaPart[]> {
  try {
    return await missingCudaParts()
  } catch {
    return []
  }
}

/** `gpu`: the NVIDIA GPU's name by its driver, `unknown` without one. `missing`: what the CUDA provider lacks. */
export function judgeProbes(probes: readonly Probe[], gpu: string, missing: readonly CudaPart[]): Finding {
  const working = probes.filter(({ refusal }) => refusal === null)
  const detail = working.map(({ provider, device }) => `${provider} (${device})`).join(', ')
  const refusalOf = (wanted: Provider) => probes.find(({ provider }) => provider === wanted)?.refusal ?? null
  if (working.length === 0) {
    return warn(
      'compute',
      `no worker can run here: ${refusalOf('cpu')}`,
      'Install onnxruntime-node (npm ci) on machines that are to work; a coordinator alone needs none.',
    )
  }
  const cuda = refusalOf('cuda')
  if (gpu !== 'unknown' && cuda !== null) {
    const lacks = missing.length === 0 ? cuda : `missing: ${missing.join(', ')}`
    const fixes = missing.map((part) => CUDA_FIXES[part])
    return warn(
      'compute',
      `${detail}; but not the ${gpu}: ${lacks}`,
      fixes.length === 0 ? 'See what it says: assay worker check --provider cuda' : fixes.join('; '),
    )
  }
  return ok('compute', detail)
}

async function probe(provider: Provider): Promise<Probe> {
  try {
    await using runner = await startModelRunner({ provider })
    return { provider, device: runner.device, refusal: null }
  } catch (error) {
    if (!(error instanceof RunError)) throw error
    const [reason = ''] = error.message.split('\n')
    return { provider, device: 'unknown', refusal: reason.slice(0, MAX_REASON_CHARACTERS) }
  }
}
