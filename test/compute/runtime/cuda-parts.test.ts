import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missingCudaParts, nativeFolder, unfoundParts } from '../../../compute/runtime/cuda-parts.ts'
import { installCuda } from '../../../compute/runtime/install-cuda.ts'

// As ldd (glibc 2.36) prints it for the provider of 1.30.0; the first lines are found everywhere.
const LISTING = (...missing: string[]) =>
  [
    '\tlinux-vdso.so.1 (0x00007ffd5a5f2000)',
    '\tlibdl.so.2 => /lib/x86_64-linux-gnu/libdl.so.2 (0x00007f6d2c1f0000)',
    ...missing.map((name) => `\t${name} => not found`),
    '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f6d1c000000)',
    '',
  ].join('\n')

test.each([
  ['nothing', [], []],
  ['cuDNN', ['libcudnn.so.9'], ['cuDNN 9']],
  [
    'CUDA by any of its libraries, once',
    ['libcublasLt.so.12', 'libcublas.so.12', 'libcurand.so.10', 'libcufft.so.11', 'libcudart.so.12'],
    ['CUDA 12'],
  ],
  ['the driver', ['libcuda.so.1'], ['driver']],
  ['all of them', ['libcudart.so.12', 'libcudnn.so.9'], ['CUDA 12', 'cuDNN 9']],
  ['what the provider has beside itself', ['libonnxruntime_providers_shared.so'], []],
])('the loader misses %s', (_, missing, parts) => {
  expect(unfoundParts(LISTING(...missing))).toEqual(parts)
})

describe('missingCudaParts', () => {
  let folder: string
  let driver: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-cuda-'))
    driver = join(folder, 'version')
    await writeFile(driver, 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.124.06\n')
  })
  afterAll(() => rm(folder, { recursive: true }))

  test('tells the driver and the provider files apart', async () => {
    expect(await missingCudaParts(folder, join(folder, 'none'))).toEqual(['driver', 'provider files'])
    expect(await missingCudaParts(folder, driver)).toEqual(['provider files'])
  })

  test('asks the loader once the provider files are there', async () => {
    await copyFile(
      join(nativeFolder(), 'libonnxruntime.so.1'),
      join(folder, 'libonnxruntime_providers_cuda.so'),
    )
    expect(await missingCudaParts(folder, driver)).toEqual([])
  })
})

test('there is no provider for other systems, and nothing is fetched', async () => {
  await expect(installCuda('darwin/arm64')).rejects.toMatchObject({
    code: 'cuda_unsupported',
    message: expect.stringContaining('darwin/arm64'),
  })
})
