import { fork } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { TrainingProgress } from './train-digits.ts'

const SCRIPT = import.meta.url.endsWith('.ts') ? './train.ts' : './train.js'

/** Training takes 3 s on one core of 2024; a machine that needs ten minutes is not worth waiting for. */
const TRAINING_LIMIT_MS = 600_000

/** Only the end of what a failed child said is kept. */
const ERROR_CHARACTERS = 2_000

const progressSchema = z.strictObject({ epoch: z.int(), epochs: z.int(), loss: z.number() })
const resultSchema = z.strictObject({ accuracy: z.number().min(0).max(1), unseen: z.int().min(1) })

/** The child failed or was stopped. Codes: `training_failed`. */
export class TrainingError extends Error {
  override readonly name = 'TrainingError'
  readonly code = 'training_failed'
}

/** Trains the digits in a child process, which writes the ONNX model to `outPath`; another `seed` makes other weights. Throws TrainingError. */
export async function trainInChild(
  outPath: string,
  options: { onProgress?: (progress: TrainingProgress) => void; signal?: AbortSignal; seed?: string } = {},
): Promise<{ accuracy: number; unseen: number }> {
  const child = fork(
    fileURLToPath(new URL(SCRIPT, import.meta.url)),
    [outPath, ...(options.seed === undefined ? [] : [options.seed])],
    {
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      timeout: TRAINING_LIMIT_MS,
      killSignal: 'SIGKILL',
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
  )
  child.on('message', (message) => options.onProgress?.(progressSchema.parse(message)))
  const said = Promise.all([textOf(child.stdout), textOf(child.stderr)])
  try {
    const [[code, killedBy], [stdout, stderr]] = await Promise.all([once(child, 'close'), said])
    if (code !== 0) throw new Error(`ended with ${code ?? killedBy}: ${stderr.slice(-ERROR_CHARACTERS)}`)
    return resultSchema.parse(JSON.parse(stdout))
  } catch (error) {
    throw new TrainingError(`training failed: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    })
  }
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  return stream === null ? '' : text(stream)
}
