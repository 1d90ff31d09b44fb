import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** NVIDIA's driver writes it on Linux. */
const DRIVER_VERSION = '/proc/driver/nvidia/version'

/** Of ONNX Runtime's release for CUDA 12; its npm package leaves them out for their size. */
const PROVIDER_FILE = 'libonnxruntime_providers_cuda.so'

/** ldd(1) reads a few hundred kilobytes; NFS may be slow. */
const LDD_LIMIT_MS = 30_000

export type CudaPart = 'driver' | 'provider files' | 'CUDA 12' | 'cuDNN 9'

/** What to do about a missing part, in the imperative. */
export const CUDA_FIXES: Readonly<Record<CudaPart, string>> = {
  driver: "install NVIDIA's driver (525 or newer) and load it",
  'provider files': 'run: assay worker install-cuda',
  'CUDA 12':
    "install the CUDA 12 toolkit's libraries where the loader finds them (ldconfig or LD_LIBRARY_PATH)",
  'cuDNN 9': 'install cuDNN 9 for CUDA 12 where the loader finds it (ldconfig or LD_LIBRARY_PATH)',
}

/** Where onnxruntime-node keeps its native libraries. Throws where the package is not installed. */
export function nativeFolder(): string {
  const root = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'))
  return join(root, 'bin', 'napi-v6', process.platform, process.arch)
}

/** What the CUDA provider still lacks here, as the system's own loader sees it; libraries can be told only once the provider files are there. */
export async function missingCudaParts(
  folder: string = nativeFolder(),
  driverVersion: string = DRIVER_VERSION,
): Promise<CudaPart[]> {
  const provider = join(folder, PROVIDER_FILE)
  const hasProvider = existsSync(provider)
  const unfound = hasProvider ? unfoundParts(await ldd(provider)) : ['provider files' as const]
  return [...new Set([...(existsSync(driverVersion) ? [] : ['driver' as const]), ...unfound])]
}

/** Parts whose libraries ldd(1) does not find: `libcudnn.so.9 => not found`. */
export function unfoundParts(listing: string): CudaPart[] {
  const names = [...listing.matchAll(/^\s*(\S+) => not found$/gm)].map(([, name = '']) => name)
  return [...new Set(names.flatMap(partOf))]
}

function partOf(library: string): CudaPart[] {
  if (library.startsWith('libcudnn')) return ['cuDNN 9']
  if (/^libcuda\.so|^libnvidia/.test(library)) return ['driver']
  return /^lib(cudart|cublas|cufft|curand|nvrtc|nvJitLink|cusparse|cusolver)/.test(library) ? ['CUDA 12'] : []
}

/** The loader runs no code of the library for it. */
async function ldd(file: string): Promise<string> {
  const { stdout } = await promisify(execFile)('ldd', [file], { timeout: LDD_LIMIT_MS })
  return stdout
}
