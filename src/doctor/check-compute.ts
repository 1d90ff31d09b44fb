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
  return judgeProbes(probes, deviceName('cuda'))
}

/** `gpu`: the NVIDIA GPU's name by its driver, `unknown` without one. */
export function judgeProbes(probes: readonly Probe[], gpu: string): Finding {
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
    return warn(
      'compute',
      `${detail}; but not the ${gpu}: ${cuda}`,
      'Install CUDA 12 and cuDNN 9, then run: ONNXRUNTIME_NODE_INSTALL=true npm rebuild onnxruntime-node',
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
