import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hex } from '../work/hex.ts'
import { sha256 } from '../work/tagged-hash.ts'

interface ModelFile extends AsyncDisposable {
  modelPath: string
  /** Hex. */
  modelDigest: string
}

/** A model where a runner finds it; gone when disposed. */
export async function openModelFile(model: Uint8Array): Promise<ModelFile> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-calibrate-'))
  const modelPath = join(folder, 'model.onnx')
  await writeFile(modelPath, model)
  return {
    modelPath,
    modelDigest: hex(sha256(model)),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
