import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'

/** 200 MB from api.nuget.org. */
const INSTALL_LIMIT_MS = 1_800_000

/** The provider files could not be fetched. Codes: `cuda_unsupported`, `cuda_install_failed`. */
class CudaInstallError extends Error {
  override readonly name = 'CudaInstallError'
  readonly code: 'cuda_unsupported' | 'cuda_install_failed'

  constructor(code: CudaInstallError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Fetches the CUDA provider of the very version of onnxruntime-node that is installed, by that package's own script, which takes it from
 * Microsoft's NuGet package. What it says goes to standard error. Throws CudaInstallError.
 */
export async function installCuda(platform = `${process.platform}/${process.arch}`): Promise<void> {
  // ONNX Runtime publishes no CUDA provider for Node elsewhere.
  if (platform !== 'linux/x64') {
    throw new CudaInstallError(
      'cuda_unsupported',
      `the CUDA provider exists for linux/x64 alone, this is ${platform}`,
    )
  }
  const script = createRequire(import.meta.url).resolve('onnxruntime-node/script/install.js')
  const child = spawn(process.execPath, [script, '--onnxruntime-node-install=cuda12'], {
    stdio: ['ignore', 2, 2],
    timeout: INSTALL_LIMIT_MS,
  })
  const [code, signal] = await once(child, 'close')
  if (code === 0) return
  throw new CudaInstallError(
    'cuda_install_failed',
    `onnxruntime-node's install script ended with ${code ?? signal}`,
  )
}
